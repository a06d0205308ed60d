package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rollcall/store/transfer"
)

// copyDisplay shows on a terminal how far a copy is, in one line.
type copyDisplay struct {
	screen io.Writer
	now    transfer.Progress // what is being done
	since  time.Time         // and since when
	drawn  time.Time
}

const redraw = 100 * time.Millisecond

func (d *copyDisplay) show(p transfer.Progress) {
	now := time.Now()
	if p.Step != d.now.Step || p.Table != d.now.Table {
		d.since = now
	}
	d.now = p
	if !isTerminal(d.screen) || now.Sub(d.drawn) < redraw {
		return
	}
	d.drawn = now
	line := fmt.Sprintf("%s %s: %d of %d rows", p.Step, p.Table, p.Rows, p.Of)
	if took := now.Sub(d.since).Seconds(); took > 0 {
		line += fmt.Sprintf(", %.0f/s", float64(p.Rows)/took)
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
	Tables   []copiedTable `json:"tables"`
	Rows     int64         `json:"rows"`
	Replaced int64         `json:"replaced"`
	Seconds  float64       `json:"seconds"`
}

// report prints how much there is, table by table.
func (c *copying) report(cmd *cobra.Command, done transfer.Result, took time.Duration) error {
	all := copyReport{Replaced: done.Replaced, Seconds: took.Round(time.Millisecond).Seconds()}
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
	say(cmd, "The copy is complete: all %d rows are the same (%s).", all.Rows, took.Round(100*time.Millisecond))
	return nil
}
