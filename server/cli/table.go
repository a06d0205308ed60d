package cli

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

const (
	columnGap = 2
	minColumn = 4 // no column is made narrower
)

// table is text in aligned columns.
type table struct {
	header []string
	rows   [][]string
	fit    int // widest line; 0: as wide as it takes
	keep   int // so many columns, the last, are not made narrower
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// widths are those of the content, with the widest columns made narrower until a line fits.
func (t *table) widths() []int {
	widths := make([]int, len(t.header))
	total := -columnGap
	for i := range widths {
		widths[i] = width(t.header[i])
		for _, row := range t.rows {
			widths[i] = max(widths[i], width(row[i]))
		}
		total += widths[i] + columnGap
	}
	for ; t.fit > 0 && total > t.fit; total-- {
		widest := 0
		for i := range len(widths) - t.keep {
			if widths[i] >= widths[widest] { // of equals the last: the first columns tell more
				widest = i
			}
		}
		if widths[widest] <= minColumn {
			break
		}
		widths[widest]--
	}
	return widths
}

// print writes the header and the rows. paint, if there is one, may add colour to a cell: it gets
// the column and the cell as it is shown.
func (t *table) print(w io.Writer, paint func(column int, cell string) string) error {
	widths := t.widths()
	lines := bufio.NewWriter(w)
	for n, row := range slices.Insert(slices.Clone(t.rows), 0, t.header) {
		var line strings.Builder
		for i, cell := range row {
			cell = truncate(cell, widths[i])
			padding := widths[i] - width(cell) + columnGap
			if paint != nil && n > 0 {
				cell = paint(i, cell)
			}
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", padding))
			}
		}
		lines.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return lines.Flush()
}
