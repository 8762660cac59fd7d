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

// The scripts of a handover. A mark in the app's state, which load_app of templates/host
// reads, keeps the unit out of what the host starts and enables, until it is given back.
const (
	// stopUnit stops a unit where it runs, at the next boot too, and says what it was.
	stopUnit = `# usage: stop_unit APP UNIT
handed=${PLONEC_ROOT-}/var/lib/plonec/$1/handed-over
state=$(systemctl show -P ActiveState -- "$2") || exit 1
enabled=$(systemctl is-enabled -- "$2" 2>/dev/null)
case $enabled in '' | not-found) ;; *) [ -e "$handed/$2" ] || { mkdir -p -- "$handed" && : >"$handed/$2" && echo marked || exit 1; } ;; esac
[ "$state" = inactive ] || [ "$state" = failed ] || { systemctl stop -- "$2" && echo active || exit 1; }
[ "$enabled" != enabled ] || { systemctl -q disable -- "$2" && echo enabled; }`

	// takeUnit lets a host have a unit that it handed over, and makes it what it was.
	takeUnit = `# usage: take_unit APP UNIT [marked|active|enabled…]
app=$1 unit=$2
rm -f -- "${PLONEC_ROOT-}/var/lib/plonec/$app/handed-over/$unit" || exit 1
shift 2
for was in "$@"; do
	case $was in
	enabled) systemctl -q enable -- "$unit" || exit 1 ;;
	active) systemctl start -- "$unit" || exit 1 ;;
	esac
done`
)

// A handover is a unit that hosts had to leave to another one.
type handover struct {
	app, unit string
	to        *member
	from      []left
}

// A left unit is what one of these hosts had of it: marked, active, enabled.
type left struct {
	host tree.Host
	was  []string
}

// handOver makes room for what one host alone runs of an app, such as the scheduler of
// Celery: before it starts on a host it is stopped on every other one that the tree has
// for the app, chosen or not, online or not, and does not start there at a boot. One that
// cannot be asked may run it still: then nothing starts, unless AllowTwo says so.
func (f *Fleet) handOver(ctx context.Context, app string) error {
	for _, m := range f.with(app) {
		rivals := plan.Rivals(f.tree.Disk, m.Name, app)
		if len(rivals) == 0 {
			continue
		}
		state, err := m.status(ctx)
		for _, unit := range m.Takes(app, state) {
			if err == nil {
				err = f.stopElsewhere(ctx, &handover{app: app, unit: unit, to: m}, rivals)
			}
			if err == nil {
				err = m.conn.Run(ctx, remote.Command{Script: takeUnit, Argv: []string{app, unit}})
			}
		}
		if err != nil {
			return &HostError{m.Name, "hand over", err}
		}
	}
	return nil
}

// reach is a connection to a host of the tree, and what ends it.
func (f *Fleet) reach(h tree.Host) (*remote.Host, func()) {
	if i := slices.IndexFunc(f.members, func(m *member) bool { return m.Name == h.Name }); i >= 0 {
		return f.members[i].conn, func() {}
	}
	conn := f.dialer.Host(h)
	return conn, func() { conn.Close() }
}

// stopElsewhere stops a unit on hosts of the tree, once all of them can be asked.
func (f *Fleet) stopElsewhere(ctx context.Context, to *handover, rivals []tree.Host) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	reached := map[string]*remote.Host{}
	for _, h := range rivals {
		conn, done := f.reach(h)
		defer done()
		err := conn.Ask(ctx, remote.Command{Script: ":", Stdin: strings.NewReader(""), Line: func(string) {}})
		switch {
		case err == nil:
			reached[h.Name] = conn
		case f.options.AllowTwo:
			f.sink(Event{Time: time.Now(), Host: h.Name, Kind: Warning, Text: fmt.Sprintf("this host does not say whether %s runs here: another host starts it, as allowed by --allow-two", to.unit)})
		default:
			return diag.WithRemedy(fmt.Sprintf("%s may still run on %s, which cannot be reached: %v", to.unit, h.Name, err), "make sure that the host is off, then give --allow-two; or remove it from the stack")
		}
	}
	f.handovers = append(f.handovers, to)
	for _, h := range rivals {
		conn := reached[h.Name]
		if conn == nil {
			continue
		}
		was, err := stopHere(ctx, conn, to)
		if len(was) > 0 {
			to.from = append(to.from, left{h, was})
		}
		if err != nil {
			return diag.WithRemedy(fmt.Sprintf("%s could not be stopped on %s: %v", to.unit, h.Name, err), "see there: systemctl status "+to.unit)
		}
		if slices.Contains(was, "active") {
			f.sink(Event{Time: time.Now(), Host: h.Name, Kind: Note, Text: to.unit + " is stopped here: another host now runs it"})
		}
	}
	return nil
}

// stopHere stops a unit on a host, and says what it was there.
func stopHere(ctx context.Context, conn *remote.Host, h *handover) (was []string, err error) {
	err = conn.Run(ctx, remote.Command{Script: stopUnit, Argv: []string{h.app, h.unit}, Line: func(line string) { was = append(was, line) }})
	return was, err
}

// handBack ends what failed: a unit that its new host does not run is made on the others
// what it was there. A new host that does not say may run it: there is one rather than two.
func (f *Fleet) handBack(ctx context.Context, failed error) error {
	if failed == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	for _, h := range f.handovers {
		state, err := h.to.status(ctx)
		if err == nil && state[h.app+".unit."+h.unit+".state"] == "active" {
			continue
		}
		if err == nil {
			_, err = stopHere(ctx, h.to.conn, h)
		}
		for _, l := range h.from {
			text, kind := h.unit+" is here again as it was: the other host did not take it", Note
			if err == nil {
				conn, done := f.reach(l.host)
				err = conn.Run(ctx, remote.Command{Script: takeUnit, Argv: append([]string{h.app, h.unit}, l.was...)})
				done()
			}
			if err != nil {
				text, kind = fmt.Sprintf("%s stays stopped here, and may run nowhere (%v): plonec deploy starts it on one host", h.unit, err), Warning
			}
			f.sink(Event{Time: time.Now(), Host: l.host.Name, Kind: kind, Text: text})
		}
	}
	f.handovers = nil
	return failed
}
