package store

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"rollcall/store/sqldb"
)

// order is how a Sort but that by activity is said in SQL: by key and then by tie, which together
// are different for any two people.
type order struct {
	key, tie string // columns; the key of SortDuration is over several sessions
}

func (s Sort) order() (order, error) {
	switch s {
	case SortActivity, "":
		return order{}, nil
	case SortName:
		return order{key: `u.folded`, tie: `u.id`}, nil
	case SortDuration:
		return order{tie: `u.id`}, nil
	}
	return order{}, sqldb.Invalid("sort must be last_activity, name or duration")
}

// page has a query with a key and a tie return so many in this order, from after a place on.
func (o order) page(q *sqldb.Query, after *cursor, limit int) *sqldb.Query {
	if after != nil {
		q.Add(` WHERE (key, tie) > (?, ?)`, after.Key, after.Tie)
	}
	return q.Add(` ORDER BY key, tie LIMIT ?`, limit)
}

// cursor is the place after which the next page begins. Callers see it as an
// opaque text.
type cursor struct {
	Sort Sort `json:"s"`
	Key  any  `json:"k"`
	Tie  any  `json:"t"`
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // of texts and numbers only: can not fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor returns nil for the first page.
func parseCursor(text string, sort Sort) (*cursor, error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, sqldb.Invalid("cursor is not one of this list")
	}
	var c cursor
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber() // an id has more digits than a float
	if d.Decode(&c) != nil || c.Sort != sort || !c.exact() || !c.fits() {
		return nil, sqldb.Invalid("cursor is not one of this list")
	}
	return &c, nil
}

// fits tells whether the key and the tie have the types of the columns by which the list is
// ordered: PostgreSQL refuses to compare others.
func (c *cursor) fits() bool {
	_, textKey := c.Key.(string)
	_, textTie := c.Tie.(string)
	return textKey == (c.Sort == SortName) && textTie == (c.Sort == SortName || c.Sort == SortDuration)
}

// exact turns JSON's numbers into integers and tells whether nothing else is left.
func (c *cursor) exact() bool {
	for _, v := range []*any{&c.Key, &c.Tie} {
		switch value := (*v).(type) {
		case string:
		case json.Number:
			n, err := value.Int64()
			if err != nil {
				return false
			}
			*v = n
		default:
			return false
		}
	}
	return true
}
