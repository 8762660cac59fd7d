package hosts

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/tree"
)

// What asks the clients comes after them: a host of both halves after those of the
// backend, and one of the frontend alone last.
func TestHalvesInOrder(t *testing.T) {
	kinds := map[string][]string{"a": {"volto"}, "b": {"volto", "client"}, "c": {"client"}}
	files := map[string]string{}
	for name := range kinds {
		files[name+":/etc/plonec/host.env"] = "HOST='" + name + "'\n"
	}
	f := newFakeHosts(t, files, func(h *tree.Host) {
		h.Apps = []tree.App{{Name: "site"}}
		for _, kind := range kinds[h.Name] {
			h.Services = append(h.Services, tree.Service{Unit: "plone-site-" + kind + "1.service", Kind: kind, App: "site"})
		}
	})
	var names []string
	for _, m := range f.fleet.with("site") {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "c b a" {
		t.Errorf("in the order %s", got)
	}
}
