package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/remote/remotetest"
	"github.com/plonec/plonec/internal/tree"
)

// A command's output and status are the caller's, 255 too, which is also that of ssh.
func TestExec(t *testing.T) {
	f := two(t)
	m := f.fleet.members[0]
	m.Seen.Generation = "1"
	for _, want := range []int{0, 7, 255} {
		var out, said bytes.Buffer
		f.exec = func(host string, words []string) remotetest.Reply {
			return remotetest.Reply{Out: "a\x00b\r\n" + strings.Join(words[2:], "|"), Err: "and said\n", Status: want}
		}
		status, err := f.fleet.Exec(context.Background(), "site", []string{"bin/client1", "run", "it's"}, remote.Streams{In: strings.NewReader(""), Out: &out, Err: &said})
		if status != want || err != nil || !strings.HasPrefix(out.String(), "a\x00b\r\n--id|") || !strings.HasSuffix(out.String(), "|site|bin/client1|run|it's") || said.String() != "and said\n" {
			t.Errorf("%d, %v: %q, %q", status, err, out.String(), said.String())
		}
	}
	m.Seen.Generation = ""
	if _, err := f.fleet.Exec(context.Background(), "site", []string{"ls"}, remote.Streams{}); err == nil || f.fleet.Hint(err) != "plonec apply" {
		t.Error(err)
	}
	m.failed = errors.New("down")
	if _, err := f.fleet.Exec(context.Background(), "site", []string{"ls"}, remote.Streams{}); err == nil || err.Error() != "down" {
		t.Error(err)
	}
}

// The first host by name that is online and has clients, else one with another process.
func TestHostFor(t *testing.T) {
	has := func(kind string) []tree.Service { return []tree.Service{{Kind: kind, App: "site"}} }
	m := &tree.Manifest{Hosts: []tree.Host{
		{Name: "db1", Status: "online", Services: has("zeo")},
		{Name: "b", Status: "online", Services: has("client")},
		{Name: "a", Status: "stopped", Services: has("client")},
		{Name: "c", Status: "online", Services: has("client")},
	}}
	// A frontend runs none of what a command is for.
	m.Hosts = append(m.Hosts, tree.Host{Name: "0", Status: "online", Services: has("volto")})
	if got, err := HostFor(&tree.Manifest{Hosts: m.Hosts[4:]}, "site"); got != "0" || err != nil {
		t.Errorf("%s, %v; want the only one", got, err)
	}
	for n, want := range map[int]string{5: "b", 1: "db1"} {
		if got, err := HostFor(&tree.Manifest{Hosts: m.Hosts[:n]}, "site"); got != want || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	if _, err := HostFor(m, "other"); err == nil || err.Error() != "no host that is online has a process of other" {
		t.Error(err)
	}
}

// Lines of all hosts come in the order of time, the last ones of all together, and a
// host that fails takes no other's away.
func TestLogs(t *testing.T) {
	f := two(t)
	for _, m := range f.fleet.members {
		m.Seen.Generation = "1"
	}
	f.logs = func(host string, words []string) remotetest.Reply {
		if got := strings.Join(words[2:], " "); got != "--porcelain --lines 3 --since -2h site" {
			t.Errorf("%s is asked %s", host, got)
		}
		if host == "app1" {
			return remotetest.Reply{Out: "1000\tu1\tfirst\n3000\tu1\tthird\tand more\nno line\n5000\tu1\tfifth\n"}
		}
		return remotetest.Reply{Out: "2000\tu2\tsecond\n3000\tu2\tthird too\n", Err: "it broke", Status: 1}
	}
	var got []string
	show := func(l LogLine) { got = append(got, fmt.Sprint(l.Time, l.Host, l.Unit, l.Text)) }
	err := f.fleet.Logs(context.Background(), "site", LogOptions{Lines: 3, Since: "-2h"}, show)
	if want := "3000app1u1third\tand more; 3000app2u2third too; 5000app1u1fifth"; strings.Join(got, "; ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil || err.Error() != "app2: logs: it broke" || !Told(err) {
		t.Error(err)
	}
}

// While lines are followed, one waits a moment for an earlier one of another host.
func TestMergeWaits(t *testing.T) {
	var got []int64
	m := &merge{show: func(l LogLine) { got = append(got, l.Time) }}
	m.add(LogLine{Time: 3})
	m.add(LogLine{Time: 1})
	now := time.Now()
	if m.ripe(now); len(got) != 0 {
		t.Errorf("%v came at once", got)
	}
	m.lines[1].came = now.Add(-mergeTime) // the later one: what is before it goes with it
	m.add(LogLine{Time: 5})
	if m.ripe(now); fmt.Sprint(got) != "[1 3]" {
		t.Errorf("got %v", got)
	}
	if m.end(0); fmt.Sprint(got) != "[1 3 5]" {
		t.Errorf("got %v", got)
	}
}
