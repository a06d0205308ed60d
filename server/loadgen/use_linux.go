package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of processor times in /proc, the same on every Linux
// that Go runs on.
const clockTick = time.Second / 100

// useOf adds up a process and all that it started. What those used that have
// ended counts for who waited for them.
func useOf(pid int) (u use, err error) {
	if pid == 0 {
		return u, errors.ErrUnsupported
	}
	children, ticks, err := processes()
	if err != nil {
		return use{}, err
	}
	for family := []int{pid}; len(family) > 0; {
		one := family[0]
		family = append(family[1:], children[one]...)
		u.processor += ticks[one] * clockTick
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			u.peakKB, _ = strconv.Atoi(strings.Fields(text)[0])
		}
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			u.nowKB, _ = strconv.Atoi(strings.Fields(text)[0])
		}
	}
	return u, err
}

// processes are those that run: who started which, and the ticks that each used.
func processes() (children map[int][]int, ticks map[int]time.Duration, err error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	children, ticks = map[int][]int{}, map[int]time.Duration{}
	for _, path := range found {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		// The name, in parentheses, may hold spaces: count fields behind it.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
		for _, text := range fields[11:15] { // its own, and of those it waited for
			n, _ := strconv.Atoi(text)
			ticks[pid] += time.Duration(n)
		}
	}
	return children, ticks, err
}

// writtenTo is how many bytes have reached the device behind a folder so far, from
// everybody. The kernel counts by process, too, but where it keeps a file in large
// pieces of memory it takes a whole piece for written when one byte of it is.
func writtenTo(folder string) (n int64, err error) {
	var at unix.Stat_t
	if err := unix.Stat(folder, &at); err != nil {
		return 0, err
	}
	stats, err := os.ReadFile("/proc/diskstats")
	for line := range strings.Lines(string(stats)) {
		fields := strings.Fields(line)
		if fields[0] == fmt.Sprint(unix.Major(at.Dev)) && fields[1] == fmt.Sprint(unix.Minor(at.Dev)) {
			sectors, err := strconv.ParseInt(fields[9], 10, 64)
			return sectors * 512, err
		}
	}
	return 0, cmp.Or(err, errors.ErrUnsupported) // there is no device, or the system hides it
}
