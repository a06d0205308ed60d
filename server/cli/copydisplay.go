package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store"
)

// copyDisplay shows on a terminal how far a copy is, in one line.
type copyDisplay struct {
	screen io.Writer
	now    store.CopyProgress // what is being done
	since  time.Time          // and since when,
	first  int64              // from which row on
	drawn  time.Time
}

const redraw = 100 * time.Millisecond

func (d *copyDisplay) show(p store.CopyProgress) {
	now := time.Now()
	if p.Doing != d.now.Doing || p.Table != d.now.Table {
		d.since, d.first = now, p.Rows
	}
	d.now = p
	if !isTerminal(d.screen) || now.Sub(d.drawn) < redraw {
		return
	}
	d.drawn = now
	line := fmt.Sprintf("%s %s: %d", p.Doing, p.Table, p.Rows)
	if p.Of > 0 {
		line += fmt.Sprintf(" of %d rows", p.Of)
	}
	if took := now.Sub(d.since).Seconds(); took > 0 && p.Rows > d.first {
		line += fmt.Sprintf(", %.0f/s", float64(p.Rows-d.first)/took)
	}
	fmt.Fprint(d.screen, "\r\x1b[K"+truncate(line, columns(d.screen)-1))
}

func (d *copyDisplay) clear() {
	if !d.drawn.IsZero() {
		fmt.Fprint(d.screen, "\r\x1b[K")
	}
}

type copiedTable struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

type copyReport struct {
	Begun    store.CopyState `json:"begun"`
	Tables   []copiedTable   `json:"tables"`
	Rows     int64           `json:"rows"`
	Replaced int64           `json:"replaced"`
	Seconds  float64         `json:"seconds"`
}

// report prints how much there is, table by table.
func (c *copying) report(cmd *cobra.Command, done store.Copied, took time.Duration) error {
	all := copyReport{Begun: done.Begun, Replaced: done.Replaced, Seconds: took.Round(time.Millisecond).Seconds()}
	rows := table{header: []string{"TABLE", "ROWS"}, fit: columns(out(cmd))}
	for _, t := range done.Tables {
		all.Tables, all.Rows = append(all.Tables, copiedTable(t)), all.Rows+t.Rows
		rows.add(t.Name, strconv.FormatInt(t.Rows, 10))
	}
	if c.asJSON {
		return writeJSON(out(cmd), all)
	}
	if err := rows.print(out(cmd), nil); err != nil {
		return err
	}
	if all.Replaced > 0 {
		say(cmd, "%d texts have U+FFFD for what PostgreSQL can not store (U+0000 and bytes that are no UTF-8).", all.Replaced)
	}
	words := map[store.CopyState]string{
		store.CopyNew:       "The copy is complete",
		store.CopyResumed:   "The copy that was begun before is complete",
		store.CopyRestarted: "The folder was used since a copy was begun; a new one is complete",
		store.CopyComplete:  "The copy was complete already",
	}
	say(cmd, "%s: all %d rows are the same (%s).", words[done.Begun], all.Rows, took.Round(100*time.Millisecond))
	return nil
}
