package service_test

import (
	"testing"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/schema"
)

// Of every port it is known who connects.
func TestPortsHavePartners(t *testing.T) {
	stack := &schema.Stack{
		NginxPlone: &schema.NginxPlone{ProxyPort: 6081}, Memcached: &schema.Memcached{Port: 11211},
		PloneInstances: &schema.PloneInstances{}, PloneSolr: &schema.PloneSolr{},
	}
	ports := 0
	for _, s := range service.All() {
		if s.Ports == nil {
			continue
		}
		for _, p := range s.Ports(service.Host{Stack: stack, TLS: true, Balancers: 2, API: true}) {
			ports++
			if p.From == "" {
				t.Errorf("%s: nobody connects to %s", s.Name, s.PortOf(p))
			}
		}
	}
	if ports < 10 {
		t.Errorf("only %d ports", ports)
	}
}
