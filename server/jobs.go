package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"

	"rollcall/server/clock"
	"rollcall/store/history"
	"rollcall/store/sqldb"
)

// A job runs at the start of the server and then at every interval. One that
// takes longer than its interval skips a turn: no two runs overlap.
type job struct {
	name  string
	every time.Duration
	run   func(context.Context) error
}

// keptChanges is how many changes somebody who was cut off may miss and still
// be told of one by one.
const keptChanges = 10000

func (s *Server) jobs() []job {
	return []job{
		{"cleanup", time.Minute, s.runCleanup},
		{"finish erasing", time.Hour, s.store.FinishErasing},
		{"fold heartbeats", time.Second, func(ctx context.Context) error { return s.store.FoldHeartbeats(ctx, s.now()) }},
		{"clock", 10 * time.Second, s.clock.Sync},
		{"end of a drain's sessions", time.Second, s.endDrained},
		{"end of troubles", time.Second, s.endTroubles},
		{"end of a silence", time.Second, s.clock.Recheck},
		{"sample", time.Minute, s.recordPeak},
		{"history", time.Minute, s.sampleAfter(s.now().Add(clock.Settling * s.cfg.Heartbeat))},
		{"visitors", history.SampleEvery, func(ctx context.Context) error { return s.store.History.RecordVisitors(ctx, s.now()) }},
		{"check of the database", time.Minute, s.checkDaily()},
		{"garbage", 10 * time.Second, collectSooner},
		{"trim", time.Minute, func(ctx context.Context) error { return s.store.TrimChanges(ctx, keptChanges) }},
	}
}

// endTroubles looks whether the database can be read and written again.
func (s *Server) endTroubles(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	s.troubles.Recheck(ctx, s.store.DB().CanWrite)
	return nil
}

// recordPeak keeps how many people are online if that is the most of the day.
func (s *Server) recordPeak(ctx context.Context) error {
	now := s.now()
	counts, err := s.store.CountOnline(sqldb.Aside(ctx, true), now)
	if err != nil {
		return err
	}
	return s.store.History.RecordPeak(ctx, now, counts.People())
}

// sampleAfter samples for the history once everybody has had the time to be heard
// of: after a long pause nobody seems to be online. It looks every minute, so that
// no interval is missed because a run was late.
func (s *Server) sampleAfter(settled time.Time) func(context.Context) error {
	return func(ctx context.Context) error {
		now := s.now()
		if now.Before(settled) {
			return nil
		}
		return s.store.History.Sample(sqldb.Aside(ctx, true), now)
	}
}

// How often all of the database is read to see whether it is whole, and how long after a start first.
// After a stop that left its log behind that is at once.
const (
	checkEvery = 24 * time.Hour
	firstCheck = time.Hour
)

// checkDaily looks every minute whether the database is to be checked. What is found, the job's error, is
// told once to the log; see web.Outage.
func (s *Server) checkDaily() func(context.Context) error {
	due, db := time.Now(), s.store.DB() // by no clock that may be set
	if !db.StoppedUncleanly() {
		due = due.Add(firstCheck)
	}
	return func(ctx context.Context) error {
		if time.Now().Before(due) {
			return nil
		}
		switch _, err := db.Check(ctx); {
		case ctx.Err() != nil, errors.Is(err, sqldb.ErrNotFound): // it ends; it looks after itself
			return nil
		case errors.Is(err, sqldb.ErrBusy): // others have the turn
			return nil
		case err != nil:
			return err
		}
		due = time.Now().Add(checkEvery)
		return db.Undamaged()
	}
}

// runCleanup looks every minute whether a cleanup is due. It asks for the time first: what it
// ends stays ended.
func (s *Server) runCleanup(ctx context.Context) error {
	if err := s.clock.Sync(ctx); err != nil || !s.clock.TakeCleanup() {
		return err
	}
	cleaned, err := s.store.Cleanup(ctx, s.now())
	if err == nil {
		s.log.Info().Int64("ended", cleaned.Ended).Int64("purged", cleaned.Purged).Msg("cleaned up sessions")
	}
	return err
}

func (s *Server) startJobs() (gocron.Scheduler, error) {
	scheduler, err := gocron.NewScheduler()
	if err != nil {
		return nil, err
	}
	for _, j := range s.jobs() {
		_, err := scheduler.NewJob(gocron.DurationJob(j.every), gocron.NewTask(j.run),
			gocron.WithName(j.name),
			gocron.WithSingletonMode(gocron.LimitModeReschedule),
			gocron.WithStartAt(gocron.WithStartImmediately()),
			gocron.WithEventListeners(
				gocron.AfterJobRunsWithError(func(_ uuid.UUID, name string, err error) {
					if !s.troubles.Observe(err) {
						s.log.Error().Err(err).Str("job", name).Msg("job failed")
					}
				}),
				gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, cause any) {
					s.log.Error().Any("panic", cause).Str("job", name).Msg("job panicked")
				})))
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.name, err)
		}
	}
	scheduler.Start()
	return scheduler, nil
}

// shutdown lets the requests under way finish, and then the jobs.
func (s *Server) shutdown(listening []*http.Server, jobs gocron.Scheduler) error {
	heard := s.now()
	err := within(requestsTimeout, func(ctx context.Context) (err error) {
		for _, w := range listening {
			failed := w.Shutdown(ctx)
			if errors.Is(failed, context.DeadlineExceeded) { // somebody reads too slowly
				failed = w.Close()
			}
			err = errors.Join(err, failed)
		}
		return err
	})
	late := within(jobsTimeout, jobs.ShutdownWithContext)
	if late != nil { // one waits for the disk, and is cut off with the process: no job answers anybody
		s.log.Warn().Err(late).Msg("a job had not ended when the server did")
	}
	_ = within(jobsTimeout, func(ctx context.Context) error { return s.store.NoteStop(ctx, heard) })
	_ = within(foldTimeout, s.store.FoldAllHeartbeats) // for who reads the file now; the next start has what is left
	return err
}

func within(limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return f(ctx)
}

// garbage is how many bytes of it may come together in a large heap before it is collected. Go itself lets a heap
// double, which is right for a small one. A million sessions are some 130 MB, and the collector has to look at few of
// them: it costs little to have it come sooner.
const garbage = 48 << 20

// collectSooner keeps a large heap from doubling, unless whoever runs the server says when Go is to collect.
func collectSooner(context.Context) error {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
	}
	return nil
}

// gcPercent is Go's setting for a heap of which so many bytes are in use.
func gcPercent(live uint64) int { return int(min(100, max(20, garbage*100/max(live, 1)))) }
