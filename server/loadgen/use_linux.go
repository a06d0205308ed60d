package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// use is what a process has used so far.
type use struct {
	processor time.Duration
	peakKB    int
	nowKB     int
}

// clockTick is the unit of processor times in /proc, the same on every Linux
// that Go runs on.
const clockTick = time.Second / 100

func useOf(pid int) (u use, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name, in parentheses, may hold spaces: count fields behind it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	u.processor = time.Duration(user+system) * clockTick
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
