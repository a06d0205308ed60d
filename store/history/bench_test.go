package history_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/store/history"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

// BenchmarkHistory asks a year of samples, with those of twenty organizations in
// three series each for as long as these are kept.
func BenchmarkHistory(b *testing.B) {
	folder := b.TempDir()
	s := Open(b, folder, presence.DefaultRules())
	db := OpenShell(b, folder, "")
	now := time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC)
	for o := 1; o <= 20; o++ {
		ExecSQL(b, db, `INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, 0)`, o, fmt.Sprint("Organization ", o))
	}
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback()
	for at := now.AddDate(-1, 0, 0); at.Before(now); at = at.Add(history.SampleEvery) {
		organizations := 0
		if at.After(now.AddDate(0, 0, -30)) {
			organizations = 20
		}
		for o := range organizations + 1 {
			for _, app := range []string{"", "shop", "crm"} {
				if _, err := tx.Exec(`INSERT INTO activity_samples (organization_id, app, at, people) VALUES ($1, $2, $3, $4)`, o, app, at.UnixMilli(), office(at)); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	// Each at another time: what is asked again is remembered.
	b.Run("90 days", func(b *testing.B) {
		for at := now; b.Loop(); at = at.Add(-12 * time.Hour) {
			if _, err := s.History.Activity(b.Context(), now, history.ActivityFilter{From: at.AddDate(0, 0, -90), To: at, App: "shop"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	week := history.HeatmapFilter{Weeks: 4, Zone: "Europe/Berlin", Organization: "Organization 7"}
	b.Run("4 weeks by hour", func(b *testing.B) {
		for at := now; b.Loop(); at = at.Add(-history.SampleEvery) {
			if _, err := s.History.Heatmap(b.Context(), at, week); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("4 weeks by hour, asked by every gate", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.History.Heatmap(b.Context(), now, week); err != nil {
				b.Fatal(err)
			}
		}
	})
}
