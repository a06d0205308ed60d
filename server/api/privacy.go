package api

import "rollcall/store"

// EraseInput repeats the id of the person: what is erased can not be brought back.
type EraseInput struct {
	Confirm string `json:"confirm"`
}

// Erased is what was removed of a person.
type Erased struct {
	Sessions    int64 `json:"sessions"`
	Claims      int64 `json:"claims"`
	NoticesSeen int64 `json:"notices_seen"`
	Visits      int64 `json:"visits"`
	Account     bool  `json:"account"`
	Mentions    int64 `json:"mentions"` // entries that no longer name the person
	Complete    bool  `json:"complete"` // else the files still have traces, and the server tries again every hour
}

// ErasedOf is what was removed, for an answer.
func ErasedOf(e store.Erased) Erased {
	return Erased{Sessions: e.Sessions, Claims: e.Claims, NoticesSeen: e.Receipts, Visits: e.Visits,
		Account: e.Account, Mentions: e.Mentions, Complete: e.Complete}
}
