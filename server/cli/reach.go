package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"rollcall/server/api"
	"rollcall/server/client"
	"rollcall/server/origin"
)

// What the doctor finds on the way to the server.

// unreachable says why the server can not be asked anything.
func (d *doctorCommand) unreachable(err error) api.Finding {
	found := func(words, fix string, paste ...string) api.Finding {
		return api.Problem("server", words, fix, paste...)
	}
	failure, answered := errors.AsType[*client.Error](err)
	switch {
	case !answered:
		if inner := errors.Unwrap(err); inner != nil { // the address is in the fix
			err = inner
		}
		return found("Does not answer at "+d.server.url, oneLine(err.Error())+". Start it there, or give the address that it has:",
			"rollcall doctor --url https://rollcall.example")
	case failure.Code == "unknown_host":
		return found("Does not answer to the name "+d.at().Hostname(), "It answers only to names that it knows. Start it with the address that browsers use as --public-url, or with this as well:",
			"--host "+d.at().Hostname())
	case failure.Code == "not_found":
		return found("Rollcall is there, but not below this path", "It serves below its --base-path. Give that with the address:",
			"rollcall doctor --url "+d.at().Scheme+"://"+d.at().Host+"/PATH")
	case failure.Code != "":
		return found("Is up, but not ready: "+failure.Message, "Its log has the details:", "journalctl -u rollcall -n 50")
	case failure.Status == http.StatusBadRequest:
		return found("Something answers 400 Bad Request", "It may want https:", "rollcall doctor --url https://"+d.at().Host)
	}
	return found(fmt.Sprintf("Something else answers: %d %s", failure.Status, http.StatusText(failure.Status)),
		"That is not Rollcall: another program, or a proxy that can not reach it. See whether it runs, on its machine:", "systemctl status rollcall")
}

// refused says why the server does not tell what it knows.
func (d *doctorCommand) refused(err error) api.Finding {
	found := func(words, fix string, paste ...string) api.Finding {
		return api.Problem("key", words, fix, paste...)
	}
	const makeOne = "export ROLLCALL_KEY=$(rollcall key create --app doctor --scope admin)"
	failure, answered := errors.AsType[*client.Error](err)
	switch {
	case !answered:
		return found("The server did not tell what it knows", oneLine(err.Error()))
	case failure.Status == http.StatusUnauthorized && d.server.key.value == "" && d.server.key.file == "":
		return found("None was given, so most was not looked at", "What the server knows is for administrators. Make a key on its machine, with its --data or --database, and give it to this command:", makeOne)
	case failure.Status == http.StatusUnauthorized:
		return found("The server does not know this key", "It was deleted, or is one of another server. Make one on its machine, with its --data or --database:", makeOne)
	case failure.Status == http.StatusForbidden:
		return found("Lacks the scope admin, so most was not looked at", "Make one that has it on the server's machine, with its --data or --database:", makeOne)
	case failure.Status == http.StatusNotFound:
		return found("This server is too old to be asked", "Bring it to the version of this program: "+version()+".")
	}
	return found("The server did not tell what it knows", oneLine(failure.Error()))
}

// transport tells whether the key can be read on its way.
func (d *doctorCommand) transport(ctx context.Context) api.Finding {
	u := d.at()
	if u.Scheme == "https" {
		return api.Fine("transport", "Is by https")
	}
	addrs, err := addressesOf(ctx, u.Hostname())
	for _, addr := range addrs {
		if !origin.Inside(addr) {
			return api.Warning("transport", "The server is asked by plain http over the internet",
				"Keys, passwords and tokens can be read on the way. Put a proxy with TLS in front (README, On a server), and use its address:",
				"rollcall doctor --url https://"+u.Hostname())
		}
	}
	if err != nil {
		return api.Fine("transport", "Is by http, through a proxy")
	}
	return api.Fine("transport", "Is by http within this machine or a private network")
}

func addressesOf(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// at is the server's address.
func (d *doctorCommand) at() *url.URL {
	u, err := url.Parse(d.server.url)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// How far two clocks may be apart.
const (
	smallSkew = 2 * time.Second // what it takes to answer may be unevenly long on both ways
	largeSkew = time.Minute
)

// clockFinding compares the clocks here and there. The answer was written about half
// way through.
func clockFinding(ctx context.Context, asked *client.Client) api.Finding {
	began := time.Now()
	there, err := asked.Clock(ctx)
	took := time.Since(began)
	if err != nil {
		return api.Problem("clock", "The server answered once, and then no more", oneLine(err.Error()))
	}
	return compareClocks(there.Sub(began.Add(took/2)), took)
}

func compareClocks(ahead, took time.Duration) api.Finding {
	if ahead.Abs() <= smallSkew+took/2 {
		return api.Fine("clock", "The server's agrees with this machine's")
	}
	finding := api.Warning
	if ahead.Abs() > largeSkew {
		finding = api.Problem
	}
	direction := " ahead of this machine's"
	if ahead < 0 {
		direction = " behind this machine's"
	}
	const set = "timedatectl set-ntp true"
	return finding("clock", "The server's is "+ahead.Abs().Round(time.Second).String()+direction,
		"Times that you give or are shown here mean others there. "+whoseClock()+" (a container has its host's):", set)
}

// whoseClock says which of the two clocks to set.
func whoseClock() string {
	switch kept, known := clockIsKept(); {
	case !known:
		return "See which of the two is wrong, and have it synchronised on that machine"
	case kept:
		return "This machine's is synchronised, so the server's is wrong. Have that synchronised, on its machine"
	}
	return "This machine's is not synchronised. Have that done here"
}
