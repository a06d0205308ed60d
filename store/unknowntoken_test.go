package store_test

import (
	"errors"
	"testing"

	"rollcall/store"
	"rollcall/store/presence"
	. "rollcall/store/storetest"
)

func TestATokenIsKnownThatAnySessionHasOrHad(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		for _, token := range []string{"the-first-of-the-tokens-of-ada-lovelace", "the-second-of-the-tokens-of-ada-lovelace"} {
			in := store.Login{User: store.UserInput{ID: "ada"}, Token: token, SessionKey: "ada's"}
			if _, err := s.Login(t.Context(), Start, Shop, in); err != nil {
				t.Fatal(err)
			}
		}
		ended := LogIn(t, s, Start, "bob")
		end(t, s, Start, ended.ID, presence.EndRevoked)
		for token, want := range map[string]bool{"the-first-of-the-tokens-of-ada-lovelace": true, "the-second-of-the-tokens-of-ada-lovelace": true, ended.Token: true, "a-token-of-nobody": false} {
			if known, err := s.KnowsToken(t.Context(), token); known != want || err != nil {
				t.Errorf("%s is known: %v, %v", token, known, err)
			}
		}
	})
}

func TestHeartbeatsByUnknownTokensAreRefusedAmongOthers(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		in := LogIn(t, s, Start, "ada")
		ended := LogIn(t, s, Start, "bob")
		end(t, s, Start, ended.ID, presence.EndRevoked)
		tokens := []string{in.Token, "a-token-of-nobody", ended.Token, "another-of-nobody", "a-token-of-nobody", in.Token}
		got := make([]error, len(tokens))
		var together []func()
		for i, token := range tokens {
			together = append(together, func() { _, got[i] = s.Touch(t.Context(), after(1), token, store.Beat{}) })
		}
		store.Together(s, together)
		for i, err := range got {
			reason, isEnded := errors.AsType[*store.EndedError](err)
			switch tokens[i] {
			case in.Token:
				if err != nil {
					t.Errorf("who is logged in is told %v", err)
				}
			case ended.Token:
				if !isEnded || reason.Reason != presence.EndRevoked {
					t.Errorf("whose session was revoked is told %v", err)
				}
			default:
				if !errors.Is(err, store.ErrSessionEnded) || isEnded {
					t.Errorf("who is unknown is told %v", err)
				}
			}
		}
	})
}
