package demo

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver of store

	"rollcall/store"
	"rollcall/store/history"
	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// How much is invented of the time before the demo began.
const (
	pastWeeks = 5
	pastDays  = 4 // with sessions of their own, for who asks who was on
)

// pretend invents the past of a company that works by the clock of this machine: samples for the
// history, and the sessions of the last days. Samples can only be taken at the time that they are
// of, so this is the one thing here that is written past the API.
func (c cast) pretend(ctx context.Context, opened *store.Store, folder string, seed uint64, now time.Time) error {
	if err := c.pretendSessions(ctx, opened, now); err != nil {
		return fmt.Errorf("inventing past sessions: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, sqldb.FileName)+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("inventing the history: %w", err)
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("inventing the history: %w", err)
	}
	defer tx.Rollback()
	if err := c.pretendSamples(ctx, tx, rand.New(rand.NewPCG(seed, 1)), now); err != nil {
		return fmt.Errorf("inventing the history: %w", err)
	}
	return tx.Commit()
}

// crowd is everybody of an organization in an app.
type crowd struct {
	organization int64
	app          string
	people       int
}

// crowds are those of the people at their first device: nobody is counted twice.
func (c cast) crowds(ctx context.Context, tx *sql.Tx) ([]*crowd, error) {
	by, all := map[string]*crowd{}, []*crowd{}
	seen := map[string]bool{}
	for _, l := range c.lives {
		if seen[l.user.ID] {
			continue
		}
		seen[l.user.ID] = true
		if by[l.app] == nil {
			by[l.app] = &crowd{app: l.app}
			all = append(all, by[l.app])
			err := tx.QueryRowContext(ctx, `SELECT id FROM organizations WHERE name = $1`, *l.user.Organization).Scan(&by[l.app].organization)
			if err != nil {
				return nil, err
			}
		}
		by[l.app].people++
	}
	return all, nil
}

func (c cast) pretendSamples(ctx context.Context, tx *sql.Tx, rng *rand.Rand, now time.Time) error {
	crowds, err := c.crowds(ctx, tx)
	if err != nil {
		return err
	}
	add, err := tx.PrepareContext(ctx, `INSERT INTO activity_samples (organization_id, app, at, people) VALUES ($1, $2, $3, $4)`)
	if err != nil {
		return err
	}
	peaks := map[time.Time]*peak{}
	now = now.Truncate(history.SampleEvery)
	for at := now.Add(-pastWeeks * 7 * 24 * time.Hour); at.Before(now); at = at.Add(history.SampleEvery) {
		if outage(at, now) {
			continue
		}
		rows, all := sampleOf(crowds, at, rng)
		for _, row := range rows {
			if _, err := add.ExecContext(ctx, row.organization, row.app, at.UnixMilli(), row.people); err != nil {
				return err
			}
		}
		day := at.UTC().Truncate(24 * time.Hour)
		if peaks[day] == nil || all > peaks[day].people {
			peaks[day] = &peak{all, at}
		}
	}
	return savePeaks(ctx, tx, peaks, now)
}

// sampleOf is what the server would have counted: everybody, and each organization and app.
func sampleOf(crowds []*crowd, at time.Time, rng *rand.Rand) (rows []crowd, all int) {
	for _, group := range crowds {
		people := group.at(at.Local(), rng)
		if all += people; people > 0 { // each organization has one app here
			rows = append(rows, crowd{0, group.app, people}, crowd{group.organization, "", people}, crowd{group.organization, group.app, people})
		}
	}
	return append(rows, crowd{people: all}), all
}

// outage is when the server of this past was down: for a few hours the day before yesterday.
func outage(at, now time.Time) bool {
	ago := now.Sub(at)
	return ago > 48*time.Hour && ago <= 52*time.Hour
}

// at is how many of a crowd are there at a local time: at work, mostly, and hardly ever at night.
func (c crowd) at(at time.Time, rng *rand.Rand) int {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	bell := func(middle, width float64) float64 { return math.Exp(-math.Pow((hour-middle)/width, 2)) }
	part := .85*bell(10.2, 2.2) + .78*bell(14.8, 2.4) + .07*bell(20, 2)
	switch at.Weekday() {
	case time.Saturday:
		part *= .15
	case time.Sunday:
		part *= .05
	}
	expected := float64(c.people) * part
	return min(int(max(0, expected+rng.NormFloat64()*math.Sqrt(expected)*.3)), c.people)
}

type peak struct {
	people int
	at     time.Time
}

// savePeaks keeps each day's peak, and how many different people came on those that are over.
func savePeaks(ctx context.Context, tx *sql.Tx, peaks map[time.Time]*peak, now time.Time) error {
	for day, p := range peaks {
		var visitors *int
		if day.AddDate(0, 0, 1).Before(now) {
			visitors = new(p.people + p.people/6)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO daily_peaks (day, people, at, visitors) VALUES ($1, $2, $3, $4)`,
			day.UnixMilli(), p.people, p.at.UnixMilli(), visitors)
		if err != nil {
			return err
		}
	}
	return nil
}

// pretendSessions lets everybody work from about nine to about five on the days before, if these
// are no weekend.
func (c cast) pretendSessions(ctx context.Context, opened *store.Store, now time.Time) error {
	failed := make(chan error, len(c.lives))
	var people sync.WaitGroup
	for n, l := range c.lives {
		people.Go(func() {
			if err := l.pretendDays(ctx, opened, rand.New(rand.NewPCG(uint64(n), 2)), now); err != nil {
				failed <- err
			}
		})
	}
	people.Wait()
	close(failed)
	return <-failed
}

// pretendDays takes other random numbers than those that decide what happens next.
func (l *life) pretendDays(ctx context.Context, opened *store.Store, rng *rand.Rand, now time.Time) error {
	if _, err := opened.PutUser(ctx, now, store.By{App: l.app, Directory: directory}, l.known()); err != nil {
		return err
	}
	for ago := pastDays; ago > 0; ago-- {
		day := now.Local().AddDate(0, 0, -ago)
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday || rng.IntN(10) == 0 {
			continue
		}
		begin := time.Date(day.Year(), day.Month(), day.Day(), 8, rng.IntN(120), rng.IntN(60), 0, time.Local)
		if err := l.pretendSession(ctx, opened, begin, begin.Add(time.Duration(300+rng.IntN(240))*time.Minute)); err != nil {
			return err
		}
	}
	return nil
}

// known is the person as the store takes them.
func (l *life) known() store.UserInput {
	u := l.user
	return store.UserInput{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Team: u.Team, Organization: u.Organization}
}

// pretendSession is one session in the past.
func (l *life) pretendSession(ctx context.Context, opened *store.Store, begin, end time.Time) error {
	login, err := opened.Login(ctx, begin, store.By{App: l.app, Directory: directory}, store.Login{User: l.known(), Origin: l.origin})
	if err != nil {
		return err
	}
	if _, err := opened.Touch(ctx, end, login.Token, store.Beat{}); err != nil {
		return err
	}
	_, err = opened.EndByID(ctx, end, l.app, login.ID, presence.EndLogout)
	return err
}
