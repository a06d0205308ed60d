package ui_test

import (
	"database/sql"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/server/api"
)

const sampled = 5 * time.Minute

// remember gives an instance a history that it has not had: how many people were
// online at each time, or nobody knows where that is negative. It starts the
// instance anew, because a server that was asked before keeps its answer until it
// takes a sample itself.
func (in instance) remember(t *testing.T, from, to time.Time, people func(time.Time) int) instance {
	t.Helper()
	in.stop()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(in.data, "rollcall.db")+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	exec := func(statement string, args ...any) {
		if _, err := tx.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	for at := from.Truncate(sampled); at.Before(to); at = at.Add(sampled) {
		n := people(at)
		if n < 0 {
			continue
		}
		day := at.Truncate(24 * time.Hour).UnixMilli()
		exec(`INSERT INTO activity_samples (organization_id, app, at, people) VALUES (0, '', $1, $2) ON CONFLICT DO NOTHING`, at.UnixMilli(), n)
		if n > 0 {
			exec(`INSERT INTO activity_samples (organization_id, app, at, people) VALUES (0, 'shop', $1, $2) ON CONFLICT DO NOTHING`, at.UnixMilli(), (n+1)/2)
		}
		exec(`INSERT INTO daily_peaks (day, people, at, visitors) VALUES ($1, $2, $3, $4)
			ON CONFLICT (day) DO UPDATE SET people = excluded.people, at = excluded.at, visitors = excluded.visitors WHERE excluded.people > daily_peaks.people`,
			day, n, at.UnixMilli(), n+n/3)
	}
	if err := errors.Join(tx.Commit(), db.Close()); err != nil {
		t.Fatal(err)
	}
	return in.again(t)
}

// working is how many of about forty people are there at a local time, with what
// happens to a server: it is off for some hours now and then.
func working(seed uint64) func(time.Time) int {
	rng := rand.New(rand.NewPCG(seed, seed))
	return func(at time.Time) int {
		at = at.Local()
		hour := float64(at.Hour()) + float64(at.Minute())/60
		day := at.YearDay()
		if day%23 == 7 && hour >= 9 && hour < 14 || day%11 == 4 && hour >= 2 && hour < 2.6 {
			return -1
		}
		most := 26 + 6*math.Sin(float64(day)/9) + float64(day*7%5)
		bell := func(middle, width float64) float64 { return math.Exp(-math.Pow((hour-middle)/width, 2)) }
		shape := bell(10.3, 2.4) + .92*bell(15, 2.6) + .1*bell(20.5, 2)
		switch at.Weekday() {
		case time.Saturday:
			shape *= .16
		case time.Sunday:
			shape *= .08
		}
		return int(math.Max(0, most*shape+rng.NormFloat64()*math.Sqrt(most*shape)*.35-.2))
	}
}

func TestThePageHistory(t *testing.T) {
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/history")
	b.until(`document.querySelector('[data-chart]').innerText.includes('History begins now')`)
	b.until(`document.querySelector('[data-quiet]').innerText.includes('two weeks')`)

	backend := in.backend(t, "shop", "sessions,admin")
	const hostile = `<img src=x onerror=document.title='owned'>`
	login(t, backend, "ada", "Ada Lovelace")
	login(t, backend, "eve", hostile)
	_, err := backend.Login(t.Context(), api.LoginReport{User: api.UserInput{ID: "gone", Organization: text(hostile)}})
	if err == nil {
		_, err = backend.DeleteUser(t.Context(), "gone")
	}
	if err != nil {
		t.Fatal(err)
	}
	in.backdate(t, "ada", 3*time.Hour, 0)
	now := time.Now()
	at := func(ago time.Duration) time.Time { return now.Add(-ago).Truncate(sampled) }
	silent := at(10 * time.Hour)
	// Up to the next interval too: it may begin before the page is asked for, and a
	// server that has just started takes no sample of what it did not see.
	in = in.remember(t, at(60*24*time.Hour), at(-2*sampled), func(at time.Time) int {
		at = at.Local()
		switch {
		case at.After(silent) && !at.After(silent.Add(2*time.Hour)):
			return -1
		case at.Weekday() == time.Sunday && at.Hour() >= 3 && at.Hour() < 6:
			return 0
		}
		return 7
	})
	b.open(in.url + "/history?organization=" + "%3Cimg%20src%3Dx%20onerror%3Ddocument.title%3D'owned'%3E")
	b.until(`document.querySelector('.plot path.line')`)
	if b.eval(`document.querySelector('[name=organization]').selectedOptions[0].textContent`) != `<img src=x onerror=document.title='owned'>` {
		t.Error("a hostile name is not the one that is chosen")
	}
	b.until(`document.querySelector('[data-quiet]').innerText.includes('spelt')`)
	b.open(in.url + "/history")

	t.Run("figures, and the next quiet time in words", func(t *testing.T) {
		b.until(`document.querySelector('.figures').innerText.includes('7 people')`)
		b.until(`document.querySelector('.windows').innerText.includes('Sundays 03:00 to 06:00') && document.querySelector('.windows').innerText.includes('3 h') && document.querySelector('[data-quiet-words]').textContent === 'nobody in 4 weeks'`)
		b.until(`document.querySelector('.next').innerText.match(/^(Next, in|Now, for another) /)`)
		if n := b.eval(`document.querySelectorAll('.bars li').length`); n != "31" && n != "30" {
			t.Errorf("%s days", n)
		}
	})
	t.Run("a gap is unknown, to the eye and to the ear", func(t *testing.T) {
		b.until(`document.querySelectorAll('.plot .gap').length === 1 && document.querySelector('.plot .gap text').textContent === 'unknown'`)
		if texts := b.eval(`[...document.querySelectorAll('.chart table td')].map(td => td.textContent).join()`); !strings.Contains(texts, "7 people") || !strings.Contains(texts, "Unknown") {
			t.Errorf("the table says %s", texts)
		}
	})
	t.Run("arrow keys read point by point", func(t *testing.T) {
		b.eval(`document.querySelector('.plot').focus()`)
		b.run("pressing Home", chromedp.KeyEvent(kb.Home))
		b.until(`document.querySelector('.plot').ariaValueNow === '0' && document.querySelector('.plot').ariaValueText.includes(': ')`)
		first := b.eval(`document.querySelector('.plot').ariaValueText`)
		b.run("pressing an arrow", chromedp.KeyEvent(kb.ArrowRight))
		b.until(`document.querySelector('.plot').ariaValueNow === '1' && document.querySelector('.plot').ariaValueText !== ` + quoted([]string{first}))
		b.until(`!document.querySelector('.tip').hidden && document.querySelector('.tip').innerText.includes('people')`)
	})
	t.Run("Enter asks who was on", func(t *testing.T) {
		b.run("pressing End and Enter", chromedp.KeyEvent(kb.End), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.Enter))
		b.until(`document.querySelector('.on') && document.querySelector('[data-online-at] h3').textContent.startsWith('1 person was on at ')`)
		b.until(`[...document.querySelectorAll('.on a')].map(a => a.textContent).join() === 'Ada Lovelace'`)
		b.until(`document.activeElement.className === 'plot' && location.search.includes('at=')`)
	})
	t.Run("a click asks for the time that is pointed at", func(t *testing.T) {
		b.eval(`(() => { const plot = document.querySelector('.plot'), box = plot.getBoundingClientRect(); plot.dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: box.left + box.width / 2 })) })()`)
		b.until(`document.querySelector('[data-online-at] h3').textContent.startsWith('No known sessions at ')`)
		b.click(`[data-close]`)
		b.until(`document.querySelector('[data-online-at]').hidden && !location.search.includes('at=') && document.activeElement.id === 'at'`)
	})
	t.Run("the hours of the week are read by keyboard", func(t *testing.T) {
		b.eval(`document.querySelector('.heat td[tabindex="0"]').focus()`)
		b.run("going to Sunday at three", chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(strings.Repeat(kb.ArrowDown, 6)), chromedp.KeyEvent(strings.Repeat(kb.ArrowRight, 3)))
		b.until(`document.activeElement.ariaLabel === 'Sundays 03:00–04:00: nobody' && document.querySelector('.week .readout').textContent === document.activeElement.ariaLabel`)
		b.run("going on", chromedp.KeyEvent(kb.ArrowUp))
		b.until(`document.activeElement.ariaLabel.startsWith('Saturdays 03:00–04:00: 7 on average')`)
	})
	t.Run("a pointer at rest does not take the words from the keyboard", func(t *testing.T) {
		b.run("resting the pointer", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 1, 1))
		b.eval(`(() => {
			document.querySelector('.heat td[tabindex="0"]').focus();
			const grid = document.querySelector('.heat'), box = grid.querySelector('td[role=gridcell]').getBoundingClientRect();
			grid.style.transform = 'translate(' + (-box.left - box.width / 2 + 1) + 'px, ' + (-box.top - box.height / 2 + 1) + 'px)';
			grid.style.zIndex = 99;
			grid.style.position = 'relative';
		})()`)
		b.until(`document.querySelector('.heat td[role=gridcell]').matches(':hover')`)
		b.until(`document.querySelector('.week .readout').textContent === document.activeElement.ariaLabel`)
		b.run("pointing", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2))
		b.until(`document.querySelector('.week .readout').textContent === document.querySelector('.heat td[role=gridcell]').ariaLabel`)
		b.eval(`document.querySelector('.heat').removeAttribute('style')`)
	})
	t.Run("a range and a filter are a part of the address", func(t *testing.T) {
		b.eval(`document.querySelector('[name=range][value="30d"]').click()`)
		b.until(`location.search.includes('range=30d') && document.querySelectorAll('.plot').length === 1 && document.querySelector('.plot').ariaValueMax >= 719`)
		b.eval(`(() => { const s = document.querySelector('[name=app]'); s.value = 'shop'; s.dispatchEvent(new Event('change', { bubbles: true })) })()`)
		b.until(`location.search.includes('app=shop') && document.querySelector('.figures').innerText.includes('4 people')`)
		b.eval(`history.back()`)
		b.until(`!location.search.includes('app=') && document.querySelector('.figures').innerText.includes('7 people')`)
	})
	t.Run("nothing that a stranger typed has run", func(t *testing.T) {
		if title := b.eval(`document.title`); strings.Contains(title, "owned") {
			t.Error("it has")
		}
	})
	t.Run("a server that is gone is told, and the history kept", func(t *testing.T) {
		b.eval(`void (window.fetch = () => Promise.reject(new TypeError('no network')))`)
		b.eval(`document.querySelector('[name=range][value="7d"]').click()`)
		b.until(`document.querySelector('[data-stale]').innerText.includes('still what was shown before')`)
		b.eval(`history.back()`)
		b.until(`document.querySelector('[data-stale]').innerText.includes('Not updated since')`)
		b.until(`document.querySelector('.plot path.line') && document.querySelector('.windows li')`)
	})
}

// TestScreenshotsOfTheHistory shows months of it.
func TestScreenshotsOfTheHistory(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -screenshots folder was given")
	}
	b := browser(t)
	in := serve(t)
	b.setUpAccount(in)
	b.open(in.url + "/history")
	b.until(`document.querySelector('[data-chart]').innerText.includes('History begins now')`)
	b.picture("history-empty", 1280, 900)
	b.picture("history-empty-phone", 390, 844)
	populate(t, in, in.backend(t, "shop", "sessions"), in.backend(t, "crm", "sessions"))
	now := time.Now()
	in = in.remember(t, now.Add(-120*24*time.Hour), now, working(7))
	b.open(in.url + "/history?at=" + now.Add(-40*time.Minute).UTC().Format(time.RFC3339))
	b.until(`document.querySelector('.plot path.line') && document.querySelector('.on')`)
	b.eval(`document.querySelector('.plot').dispatchEvent(new PointerEvent('pointermove', { clientX: document.querySelector('.plot').getBoundingClientRect().left + 250 }))`)
	b.picture("history", 1280, 1500)
	b.picture("history-phone", 390, 2400)
	for _, span := range []string{"7d", "30d", "90d"} {
		b.open(in.url + "/history?range=" + span)
		b.until(`document.querySelector('.plot path.line')`)
		b.picture("history-"+span, 1280, 900)
		b.picture("history-"+span+"-phone", 390, 844)
	}
	in.stop()
	b.eval(`document.querySelector('[name=range][value="7d"]').click()`)
	b.until(`document.querySelector('[data-stale]').innerText.includes('before')`)
	b.picture("history-other", 1280, 900)
	b.eval(`history.back()`)
	b.until(`document.querySelector('[data-stale]').innerText.includes('Not updated')`)
	b.picture("history-stale", 1280, 900)
	b.picture("history-stale-phone", 390, 844)
}
