// Package freespace tells how much room a disk has. It knows no database.
package freespace
