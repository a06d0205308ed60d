package store

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"rollcall/store/presence"
	"rollcall/store/sqldb"
)

// order is how a Sort is said in SQL: by key and then by tie, which together
// are different for any two people.
type order struct {
	key, tie  string // columns; the key of SortDuration is over several sessions
	block     string // of "key", by which an index finds it; "" for none
	byBlock   bool   // key is the block itself
	direction string // of both, for ORDER BY
	beyond    string // the comparison that leads to the next page
}

func (s Sort) order() (order, error) {
	switch s {
	case SortActivity, "":
		return order{key: `s.last_activity_at`, block: presence.InActivityBlock(`key`), tie: `s.id`, direction: ` DESC`, beyond: `<`}, nil
	case SortName:
		return order{key: `u.folded`, tie: `u.id`, beyond: `>`}, nil
	case SortDuration:
		return order{tie: `u.id`, beyond: `>`}, nil
	}
	return order{}, sqldb.Invalid("sort must be last_activity, name or duration")
}

// order returns how a list of people is sorted. In a large database activity counts by its block: thousands may have the
// latest, and the database would look at the row of each. On a page the order is right: see [OnlineFilter.sort].
func (s *Store) order(sort Sort) (order, error) {
	o, err := sort.order()
	if o.block != "" && s.roster.byBlocks() {
		o.key, o.block, o.byBlock = presence.InActivityBlock(o.key), ``, true
	}
	return o, err
}

// page has a query with a key and a tie return so many in this order, from after a place on.
func (o order) page(q *sqldb.Query, after *cursor, limit int) *sqldb.Query {
	block, first := o.block, ``
	switch {
	case o.byBlock:
		block = `key`
	case block != "":
		first = block + o.direction + `, `
	}
	if after != nil {
		q.Add(` WHERE (key, tie) `+o.beyond+` (?, ?)`, o.value(after), after.Tie)
		if block != "" {
			q.And(block+` <= ?`, presence.ActivityBlock(after.Key.(int64)))
		}
	}
	return q.Add(` ORDER BY `+first+`key`+o.direction+`, tie`+o.direction+` LIMIT ?`, limit)
}

// value is the key of a cursor, which has the last activity of a block for the block.
func (o order) value(c *cursor) any {
	if o.byBlock {
		return presence.ActivityBlock(c.Key.(int64))
	}
	return c.Key
}

// cursorAt is the cursor of a place by this order.
func (o order) cursorAt(sort Sort, key, tie any) cursor {
	if o.byBlock {
		key = presence.LastOfActivityBlock(key.(int64))
	}
	return cursor{sort, key, tie}
}

// later tells in SQL whether session t comes before s of the same person, if that is by activity.
func (o order) later() string {
	latest := `s.last_activity_at`
	if o.byBlock {
		latest = o.key
	}
	of := strings.ReplaceAll(latest, `s.`, `t.`)
	return `(` + of + ` > ` + latest + ` OR ` + of + ` = ` + latest + ` AND t.id > s.id)`
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
