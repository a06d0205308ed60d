package api

import (
	"encoding/json"
	"testing"
	"time"
)

var moment = time.Date(2026, 3, 2, 10, 30, 0, 120_000_000, time.FixedZone("CET", 3600))

func TestAnAnswersFieldsFollowItsEnvelope(t *testing.T) {
	for want, body := range map[string]any{
		`{"success":true,"timestamp":"2026-03-02T09:30:00.120Z"}`:                         Nothing{},
		`{"success":true,"timestamp":"2026-03-02T09:30:00.120Z","ended":false,"count":0}`: Ended{},
	} {
		if got, err := Success(moment, body); string(got) != want || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func TestTheTimeOfTheEnvelopeIsTheAnswers(t *testing.T) {
	text, err := Success(moment, Drain{Draining: true, Message: "Moving house"})
	if err != nil {
		t.Fatal(err)
	}
	var got Drain
	if err := json.Unmarshal(text, &got); err != nil || !got.Timestamp.Equal(moment) || got.Message != "Moving house" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestATimeIsReadAsItIsMeant(t *testing.T) {
	for text, want := range map[string]string{
		`"2026-03-02T09:30:00Z"`: "2026-03-02T09:30:00.000Z", `"2026-03-02T10:30:00.1234567+01:00"`: "2026-03-02T09:30:00.123Z", `null`: At(time.Time{}).String(),
		`"2026-03-02"`: "", `""`: "", `1772443800000`: "",
	} {
		var got Time
		switch err := json.Unmarshal([]byte(text), &got); {
		case want == "" && err == nil:
			t.Errorf("%s is taken for %s", text, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestAHeartbeatsAnswerIsTheJSONOfItsShape(t *testing.T) {
	for _, body := range []HeartbeatAnswer{
		{Session: Session{ID: "-9223372036854775808", ExpiresAt: At(moment)}, NextHeartbeatMS: 60000, Notices: []ShownNotice{}},
		{Session: Session{ID: "12", ExpiresAt: At(moment)}, Idle: true, Notices: []ShownNotice{}},
		{Session: Session{ID: "12", App: "shop", ExpiresAt: At(moment)}, Notices: []ShownNotice{}},
		{Session: Session{ID: "12", Token: "t", ExpiresAt: At(moment)}, Notices: []ShownNotice{}},
		{Session: Session{ID: "12", ExpiresAt: At(moment)}, Notices: []ShownNotice{{ID: "3"}}},
		{Session: Session{ID: "12", ExpiresAt: At(moment)}},
	} {
		fields, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"success":true,"timestamp":"2026-03-02T09:30:00.120Z",` + string(fields[1:])
		if got, err := Success(moment, body); string(got) != want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}
