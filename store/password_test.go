package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
)

func TestHashing(t *testing.T) {
	tests := map[string]func(t *testing.T, l lane){
		"who hung up while waiting costs no hash": func(t *testing.T, l lane) {
			ctx, hangUp := context.WithCancel(t.Context())
			hashed := 0
			l.slots <- struct{}{} // somebody else is hashed
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					if err := l.run(ctx, func() { hashed++ }); !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
				})
			}
			synctest.Wait()
			hangUp()
			all.Wait()
			if hashed != 0 {
				t.Errorf("%d were hashed", hashed)
			}
		},
		"who hung up before costs no hash although there is a free slot": func(t *testing.T, l lane) {
			ctx, hangUp := context.WithCancel(t.Context())
			hangUp()
			for range 100 {
				if err := l.run(ctx, func() { t.Error("hashed") }); !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v", err)
				}
			}
		},
		"one more than may wait is refused at once": func(t *testing.T, l lane) {
			l.slots <- struct{}{}
			var all sync.WaitGroup
			for range cap(l.places) {
				all.Go(func() { _ = l.run(t.Context(), func() {}) })
			}
			synctest.Wait()
			if err := l.run(t.Context(), func() {}); !errors.Is(err, ErrHashingCrowded) {
				t.Errorf("got %v", err)
			}
			<-l.slots
			all.Wait()
			if err := l.run(t.Context(), func() {}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, newLane(1)) })
		})
	}
}

func TestWhoIsKnownDoesNotWaitForStrangers(t *testing.T) {
	for range cap(strangers.slots) {
		strangers.slots <- struct{}{}
		defer func() { <-strangers.slots }()
	}
	if err := known.run(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
}

func TestAHashOfAnotherProgramCostsNoMoreThanOurs(t *testing.T) {
	const key = "$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"
	ours := hashOf(t, "correct horse battery staple")
	for name, hash := range map[string]string{
		"memory of 4 GiB":        "$argon2id$v=19$m=4194304,t=2,p=1" + key,
		"no passes":              "$argon2id$v=19$m=19456,t=0,p=1" + key,
		"a million passes":       "$argon2id$v=19$m=19456,t=1000000,p=1" + key,
		"no lanes":               "$argon2id$v=19$m=19456,t=2,p=0" + key,
		"255 lanes":              "$argon2id$v=19$m=19456,t=2,p=255" + key,
		"more behind its lanes":  "$argon2id$v=19$m=19456,t=2,p=1,x=1" + key,
		"another version":        "$argon2id$v=16$m=19456,t=2,p=1" + key,
		"a key of a megabyte":    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + strings.Repeat("QUFB", 1<<18),
		"a key of a single byte": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$QQ",
		"another kind":           strings.Replace(ours, "argon2id", "argon2i", 1),
		"no hash":                "correct horse battery staple",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readHash(hash); err == nil {
				t.Error("it would be computed")
			}
		})
	}
	if h, err := readHash(ours); err != nil || h.memory != argonMemory || argon2.Version != 19 {
		t.Errorf("our own: %+v, %v", h, err)
	}
}

func hashOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := hashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
