package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/tree"
)

// Outage lists what of plans for hosts of a tree people would notice.
func Outage(disk *tree.Disk, plans []HostPlan) []string {
	list := []string{}
	add := func(format string, words ...any) {
		if text := fmt.Sprintf(format, words...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, h := range plans {
		for _, e := range h.Apply {
			verb, unit, _ := strings.Cut(e, ":")
			if unit = strings.TrimSuffix(unit, ".service"); unit != "plonec-agent" && (verb == "stop" || verb == "restart") {
				add("%s: apply %ss %s", h.Host, verb, unit)
			}
		}
		for _, a := range h.Deploy {
			if a.Moves != "" {
				add("the database of %s moves, %s: in a quiet hour stop the app, bring the data to its new place, then deploy --allow-outage", a.App, a.Moves)
				continue
			}
			for _, unit := range a.Restart {
				if strings.HasSuffix(unit, "-zeo.service") {
					add("%s: the ZEO server of %s restarts; its clients wait for it", h.Host, a.App)
				} else if clientsOf(disk, a.App) == 1 && strings.HasPrefix(unit, "plone-"+a.App+"-client") {
					add("%s: %s has one client, which restarts", h.Host, a.App)
				}
			}
			for range a.Maybe {
				add("%s: the ZEO server of %s restarts if its own packages or configuration are others", h.Host, a.App)
			}
		}
	}
	return list
}

// clientsOf counts the clients of an app on all hosts that are online, chosen
// or not.
func clientsOf(disk *tree.Disk, app string) int {
	online := map[string]bool{}
	for _, h := range disk.Manifest.Hosts {
		online[h.Name] = h.Status == "online"
	}
	n := 0
	for _, file := range disk.Manifest.Files {
		if online[file.Host] && strings.HasPrefix(file.Path, "/etc/systemd/system/plone-"+app+"-client") && strings.HasSuffix(file.Path, ".service") {
			n++
		}
	}
	return n
}
