package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/rs/zerolog"
)

// cityFile is a file of cities or countries by address. It is read into memory:
// whoever rewrites a file that is mapped takes the process down.
type cityFile struct {
	path    string
	log     zerolog.Logger
	current atomic.Pointer[maxminddb.Reader]

	mu   sync.Mutex  // held by who looks for a newer one
	seen os.FileInfo // of the file that was tried last, nil where there was none
}

// settled is for how long a file must not have been written to before it is
// read: it may be half of what it will be.
const settled = time.Second

func openCities(path string, log zerolog.Logger) (*cityFile, error) {
	f := &cityFile{path: path, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathless(err)
	}
	f.seen = info
	return f, f.read(info)
}

// read replaces what is in memory, unless the file is no good.
func (f *cityFile) read(info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a file")
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return pathless(err)
	}
	reader, err := maxminddb.OpenBytes(content)
	if err != nil {
		return errors.New("it is not a database in MaxMind's format")
	}
	kind := strings.ToLower(reader.Metadata.DatabaseType)
	if !slices.ContainsFunc([]string{"city", "country", "enterprise"}, func(known string) bool { return strings.Contains(kind, known) }) {
		return fmt.Errorf("it is of the type %q, and so not of cities or countries", reader.Metadata.DatabaseType)
	}
	f.current.Store(reader)
	return nil
}

// pathless is an error about a file without its name, which is said already.
func pathless(err error) error {
	var about *os.PathError
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}

// refresh reads the file again if it has changed. Nobody else waits for that: meanwhile
// they use what is in memory.
func (f *cityFile) refresh() {
	if !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if same(info, f.seen) {
		return
	}
	if err == nil {
		if age := time.Since(info.ModTime()); age >= 0 && age < settled { // by the machine's clock, as files are
			return
		}
		err = f.read(info)
	}
	f.seen = info // whatever came of it: the same is not tried, nor told, twice
	if err != nil {
		f.log.Warn().Err(pathless(err)).Str("file", f.path).Msg("the new file of places is no good; the one before is still in use")
		return
	}
	f.log.Info().Str("file", f.path).Msg("read a new file of places")
}

// same tells whether two looks at a path found the same file, unchanged.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// of returns the city and country of an address in English, as far as known.
func (f *cityFile) of(addr netip.Addr) string {
	f.refresh()
	found := f.current.Load().Lookup(addr)
	var names []string
	for _, kind := range []string{"city", "country"} {
		var name string
		if err := found.DecodePath(&name, kind, "names", "en"); err == nil && name != "" { // a damaged entry is one that is not there
			names = append(names, name)
		}
	}
	return strings.Join(slices.Compact(names), ", ") // Singapore is in Singapore
}
