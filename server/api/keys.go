package api

import "rollcall/store"

// Key is the credential of an application's back end.
type Key struct {
	ID        string       `json:"id"`
	App       string       `json:"app"`
	Directory string       `json:"directory"` // of the people of App
	Scopes    store.Scopes `json:"scopes"`
	CreatedAt Time         `json:"created_at"`
	Secret    string       `json:"secret,omitempty"` // only where it was made just now
}

// KeyOf is a key for an answer, without its secret.
func KeyOf(k store.Key) Key {
	return Key{ID: ID(k.ID), App: k.App, Directory: k.Directory, Scopes: k.Scopes, CreatedAt: At(k.CreatedAt)}
}

// Keys are all there are.
type Keys struct {
	Keys []Key `json:"keys"`
}

// KeysOf are keys for an answer: an empty list for none.
func KeysOf(keys []store.Key) []Key {
	answer := []Key{} // not nil: JSON must say [], never null
	for _, key := range keys {
		answer = append(answer, KeyOf(key))
	}
	return answer
}

// KeyInput is a key that is to be made.
type KeyInput struct {
	App       string   `json:"app"`
	Directory string   `json:"directory,omitempty"` // that the app has in common with others; "": the one that it has, or its own
	Scopes    []string `json:"scopes"`
}

// CreatedKey answers the request to make one: the only time that its secret is shown.
type CreatedKey struct {
	Key Key `json:"key"`
}

// DeletedKey answers the request to delete one.
type DeletedKey struct {
	Sessions int64 `json:"sessions"` // that ended with it, or would
	DryRun   bool  `json:"dry_run"`
}
