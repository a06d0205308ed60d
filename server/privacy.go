package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"rollcall/server/api"
	"rollcall/server/auth"
	"rollcall/server/web"
	"rollcall/store"
	"rollcall/store/sqldb"
)

// eraseUser removes a person for good. The body repeats the id: this can not be
// undone.
func (s *Server) eraseUser(r *http.Request) (any, error) {
	id, err := web.PathText(r)
	if err != nil {
		return nil, err
	}
	var in api.EraseInput
	if err := web.Decode(r, &in); err != nil {
		return nil, err
	}
	if in.Confirm != id {
		return nil, web.Invalid("confirm must repeat the id of the person to erase")
	}
	key, err := s.userInPath(r)
	if errors.Is(err, sqldb.ErrNotFound) { // what others said of them may be there still
		key, err = id, nil
	}
	if err != nil {
		return nil, err
	}
	gone, err := s.store.Erase(r.Context(), s.now(), auth.CallerOf(r).Actor(), key)
	if err != nil {
		return nil, unknownUser(err)
	}
	return api.ErasedOf(gone), nil
}

// exportUser is everything that is held on a person, as a file.
func (s *Server) exportUser(r *http.Request) (any, error) {
	key, err := s.userInPath(r)
	if err != nil {
		return nil, unknownUser(err)
	}
	user, err := s.store.ExportUser(r.Context(), key)
	if err != nil {
		return nil, unknownUser(err)
	}
	now, event := s.now(), store.AuditEvent{Actor: auth.CallerOf(r).Actor(), Action: "user.export", Target: store.UserActor(key)}
	write := func(w http.ResponseWriter) error {
		waitBriefly(s.auditAsync(r.Context(), func(ctx context.Context) error { return s.store.Record(ctx, now, event) }))
		return s.writeExport(w, r, key, user, now)
	}
	return web.Download{Type: "application/json", Name: web.FileName("person", now, "json"), Write: write}, nil
}

// writeExport writes one JSON object, a part after the other, so that nobody holds
// all of it in memory.
func (s *Server) writeExport(w http.ResponseWriter, r *http.Request, key string, user store.Record, now time.Time) error {
	connection := http.NewResponseController(w)
	write := func(before string, value any) error {
		text, err := json.Marshal(value)
		if err == nil {
			_, err = w.Write(append([]byte(before), text...))
		}
		return err
	}
	if err := write(`{"success":true,"timestamp":`, api.At(now)); err != nil {
		return err
	}
	if err := write(`,"user":`, user); err != nil {
		return err
	}
	if err := connection.Flush(); err != nil { // from here on in chunks: nobody knows its length
		return err
	}
	for _, part := range store.ExportParts() {
		before := `,"` + string(part) + `":[`
		err := s.store.ExportPart(r.Context(), key, part, func(some []store.Record) error {
			_ = connection.SetWriteDeadline(time.Now().Add(web.WriteTimeout)) // the network's time, not the rules'
			for _, record := range some {
				if err := write(before, record); err != nil {
					return err
				}
				before = ","
			}
			return nil
		})
		if err != nil {
			return err
		}
		end := "]"
		if before != "," { // it is empty
			end = before + "]"
		}
		if _, err := w.Write([]byte(end)); err != nil {
			return err
		}
	}
	_, err := w.Write([]byte("}\n"))
	return err
}
