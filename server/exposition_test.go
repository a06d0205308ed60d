package server

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// exposition is a page of /metrics: the value of each series, named as it stands
// there, with its labels.
type exposition map[string]float64

// value returns a series that has to be there.
func (e exposition) value(t testing.TB, series string) float64 {
	t.Helper()
	v, ok := e[series]
	if !ok {
		t.Errorf("there is no %s", series)
	}
	return v
}

var (
	label  = `[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`
	sample = regexp.MustCompile(`^([a-zA-Z_:][\w:]*)(\{(?:` + label + `(?:, ?` + label + `)*)\})? (\S+)$`)
)

// parseExposition holds a page against the rules of Prometheus' text format: each
// family in one piece behind its one TYPE, nothing twice, histograms that add up.
func parseExposition(t testing.TB, page string) exposition {
	t.Helper()
	if !strings.HasSuffix(page, "\n") {
		t.Error("the page does not end with a line feed")
	}
	values, kinds, current := exposition{}, map[string]string{}, ""
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if family, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(family, " ")
			if kinds[name] != "" {
				t.Errorf("%s has its type twice", name)
			}
			kinds[name], current = kind, name
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := sample.FindStringSubmatch(line)
		if parts == nil {
			t.Errorf("not a sample: %q", line)
			continue
		}
		checkFamily(t, parts[1], current, kinds[current])
		value, err := strconv.ParseFloat(parts[3], 64)
		series := strings.TrimSuffix(line, " "+parts[3])
		if _, twice := values[series]; twice || err != nil {
			t.Errorf("%q: twice %t, %v", line, twice, err)
		}
		values[series] = value
	}
	checkHistograms(t, values, kinds)
	return values
}

func checkFamily(t testing.TB, name, family, kind string) {
	t.Helper()
	kinds := map[string][]string{"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}, "summary": {"", "_sum", "_count"}}
	if suffix, ours := strings.CutPrefix(name, family); !ours || !slices.Contains(kinds[kind], suffix) {
		t.Errorf("%s stands among %s, a %s", name, family, kind)
	}
}

var bound = regexp.MustCompile(`^(\w+)_bucket\{(.*?),?le="\+Inf"\}$`)

func checkHistograms(t testing.TB, values exposition, kinds map[string]string) {
	t.Helper()
	for series, value := range values {
		parts := bound.FindStringSubmatch(series)
		if parts == nil || strings.HasPrefix(series, "go_") {
			continue
		}
		labels := ""
		if parts[2] != "" {
			labels = "{" + parts[2] + "}"
		}
		if count := values.value(t, fmt.Sprintf("%s_count%s", parts[1], labels)); count != value || kinds[parts[1]] != "histogram" {
			t.Errorf("%s is %g, the count %g", series, value, count)
		}
	}
}
