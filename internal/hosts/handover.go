package hosts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/plan"
	"github.com/plonec/plonec/internal/remote"
	"github.com/plonec/plonec/internal/tree"
)

// stopUnit stops a unit where it runs, and says so.
const stopUnit = `# usage: stop_unit UNIT
state=$(systemctl show -P ActiveState -- "$1") || exit 1
[ "$state" = inactive ] || [ "$state" = failed ] || { systemctl stop -- "$1" && echo stopped; }`

// handOver makes room for what one host alone runs of an app, such as the scheduler of
// Celery: before it starts on a host it is stopped on every other one that the tree has
// for the app, chosen or not, online or not. One that cannot be asked may run it still:
// then nothing starts, unless AllowTwo says so.
func (f *Fleet) handOver(ctx context.Context, app string) error {
	for _, m := range f.with(app) {
		for _, unit := range m.Takes(app) {
			if err := f.stopElsewhere(ctx, plan.Rivals(f.tree.Disk, m.Name, app), unit); err != nil {
				return &HostError{m.Name, "hand over", err}
			}
		}
	}
	return nil
}

// stopElsewhere stops a unit on hosts of the tree, once all of them can be asked.
func (f *Fleet) stopElsewhere(ctx context.Context, rivals []tree.Host, unit string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	reached := map[string]*remote.Host{}
	for _, h := range rivals {
		if i := slices.IndexFunc(f.members, func(m *member) bool { return m.Name == h.Name }); i >= 0 {
			reached[h.Name] = f.members[i].conn
			continue
		}
		conn := f.dialer.Host(h)
		defer conn.Close()
		err := conn.Ask(ctx, remote.Command{Script: ":", Stdin: strings.NewReader(""), Line: func(string) {}})
		switch {
		case err == nil:
			reached[h.Name] = conn
		case f.options.AllowTwo:
			f.sink(Event{Time: time.Now(), Host: h.Name, Kind: Warning, Text: fmt.Sprintf("this host does not say whether %s runs here: another host starts it, as allowed by --allow-two", unit)})
		default:
			return diag.WithRemedy(fmt.Sprintf("%s may still run on %s, which cannot be reached: %v", unit, h.Name, err), "make sure that the host is off, then give --allow-two; or remove it from the stack")
		}
	}
	for _, h := range rivals {
		conn := reached[h.Name]
		if conn == nil {
			continue
		}
		stopped := false
		err := conn.Run(ctx, remote.Command{Script: stopUnit, Argv: []string{unit}, Line: func(line string) { stopped = stopped || line == "stopped" }})
		if err != nil {
			return diag.WithRemedy(fmt.Sprintf("%s could not be stopped on %s: %v", unit, h.Name, err), "see there: systemctl status "+unit)
		}
		if stopped {
			f.sink(Event{Time: time.Now(), Host: h.Name, Kind: Note, Text: unit + " is stopped here: another host now runs it"})
		}
	}
	return nil
}
