// Rollcall is who(1) for web apps: one program that shows who is logged in to your applications.
package main

import (
	_ "embed"
	"os"

	"rollcall/server/cli"
)

//go:embed schema.sql
var schema string

func main() { os.Exit(cli.Main(schema)) }
