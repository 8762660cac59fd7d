package plan

import (
	"strings"
	"testing"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/tree"
)

// A host without IPv6 is not given a daemon that listens there.
func TestFitForIPv6(t *testing.T) {
	for _, test := range []struct {
		kernel       string
		wants, fault bool
	}{{"yes", true, false}, {"no", true, true}, {"no", false, false}} {
		m := host()
		m.Services = append(m.Services, tree.Service{Unit: "nginx.service", Kind: "nginx", IPv6: test.wants})
		o := NewObservation()
		o.Read([]string{"free", "1000000"})
		o.Read([]string{"ipv6", test.kernel})
		m.Seen = o
		err := m.Fit()
		if (err != nil) != test.fault {
			t.Errorf("%+v: %v", test, err)
		}
		if err == nil {
			continue
		}
		if text, remedy := diag.Remedy(err); !strings.Contains(text, "has no IPv6") || !strings.Contains(remedy, "set nginx_plone.ipv6 to false") {
			t.Errorf("%s: %s", text, remedy)
		}
	}
}
