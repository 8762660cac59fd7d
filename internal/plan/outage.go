package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/tree"
	"github.com/plonec/plonec/internal/words"
)

// Outage lists what of plans for hosts of a tree people would notice.
func Outage(disk *tree.Disk, plans []HostPlan) []string {
	list := []string{}
	add := func(format string, a ...any) {
		if text := fmt.Sprintf(format, a...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, h := range plans {
		for _, e := range h.Apply {
			verb, unit, _ := strings.Cut(e, ":")
			if unit = strings.TrimSuffix(unit, ".service"); unit != service.Teller().Daemon() && (verb == "stop" || verb == "restart") {
				add("%s: apply %ss %s", h.Host, verb, unit)
			}
		}
		for _, a := range h.Deploy {
			if a.Moves != "" {
				add("the database of %s moves, %s: in a quiet hour stop the app, bring the data to its new place, then deploy --allow-outage", a.App, a.Moves)
				continue
			}
			for _, unit := range a.Restart {
				switch kind := service.Named(disk.Manifest.Service(h.Host, unit).Kind); {
				case kind == nil: // of a tree of before
				case kind.Serves:
					add("%s: the %s of %s restarts; its clients wait for it", h.Host, kind.Title, a.App)
				case kind.Balanced && countOf(disk, a.App, kind) == 1:
					add("%s: %s has one %s, which restarts", h.Host, a.App, kind.Counted())
				}
			}
			for _, unit := range a.Maybe {
				add("%s: the %s of %s restarts if its own packages or configuration differ", h.Host, service.Named(disk.Manifest.Service(h.Host, unit).Kind).Title, a.App)
			}
		}
	}
	for _, h := range plans {
		for _, a := range h.Deploy {
			for _, unit := range a.Takes {
				name := strings.TrimSuffix(unit, ".service")
				var unasked []string
				for _, rival := range Rivals(disk, h.Host, a.App) {
					i := slices.IndexFunc(plans, func(other HostPlan) bool { return other.Host == rival.Name && other.Error == nil })
					switch {
					case i < 0:
						unasked = append(unasked, rival.Name)
					case slices.ContainsFunc(plans[i].Deploy, func(o AppPlan) bool { return o.App == a.App && slices.Contains(o.Stop, unit) }):
						add("%s moves from %s to %s: it stops on the one before it starts on the other", name, rival.Name, h.Host)
					}
				}
				if len(unasked) > 0 {
					others := words.Or(words.Runs(unasked))
					add("%s moves to %s, and %s may still run it: deploy stops it there first, and is refused without --allow-two if %s cannot be reached", name, h.Host, others, others)
				}
			}
		}
	}
	return list
}

// countOf counts the processes of an app that are of a kind, on all hosts that are online,
// chosen or not.
func countOf(disk *tree.Disk, app string, kind *service.Service) int {
	n := 0
	for _, h := range disk.Manifest.Hosts {
		for _, s := range h.Services {
			if h.Status == "online" && s.App == app && s.Kind == kind.Name {
				n++
			}
		}
	}
	return n
}
