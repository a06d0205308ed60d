package beats

// visit is when a segment's time has come.
type visit struct {
	segment int
	turn    bool // all of it is folded
}

// visitsUpTo returns whose time has come since it was called last.
func (l *Log) visitsUpTo(now int64) (visits []visit) {
	nth := func(at int64) int64 { return at/l.lap*segments + at%l.lap*segments/l.lap }
	from, to := nth(l.visited), nth(now)
	if from > to || l.visited == 0 { // the clock was set back
		from = to - segments
	}
	l.visited = now
	for n := max(from+1, to-segments+1); n <= to; n++ {
		visits = append(visits, visit{int(n % segments), (n/segments+n%segments)%turns == 0})
	}
	return visits
}

// steps returns what visits at now fold, each step as many sessions as one write does.
func (l *Log) steps(visits []visit, now int64) (steps [][]int64) {
	l.mu.RLock()
	few := l.unfolded <= neighbours*l.Step
	l.mu.RUnlock()
	for _, v := range visits {
		due := l.sessions(v.segment, func(w *waiting) bool { return v.turn && !few || l.isDue(w, now) })
		if len(due) > 0 && few {
			return l.allSteps()
		}
		steps = l.appendSteps(steps, due)
	}
	return steps
}

// isDue tells whether an entry has to be folded in a visit at now. What is from after the next one was made before the
// clock was set back.
func (l *Log) isDue(w *waiting, now int64) bool {
	next := now + l.lap
	return min(w.Base+l.window, w.RowExpires) <= next+l.margin || w.At <= now-l.unsaid || w.At > next
}
