package render

import (
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/internal/topology"
)

var _ = renders(nil, Artifact{Template: "agent.service.tmpl", Each: agentUnits})

// agentUnits gives the agent of a host's clients and processes of Volto.
func agentUnits(h *topology.Host) []Instance {
	type state struct {
		Address   string
		AgentPort int
		State     string
	}
	var clients []state
	for _, a := range h.Apps {
		for _, c := range a.Clients {
			if all := (state{c.Address, service.AgentPort, "*"}); !slices.Contains(clients, all) {
				clients = append(clients, all)
			}
			clients = append(clients, state{c.Address, c.AgentPort, strings.TrimSuffix(c.Unit, ".service")})
		}
		for _, v := range a.Voltos {
			if all := (state{v.Address, service.AgentPort, "*"}); !slices.Contains(clients, all) {
				clients = append(clients, all)
			}
			clients = append(clients, state{v.Address, v.AgentPort, strings.TrimSuffix(v.Unit, ".service")})
		}
	}
	if len(clients) == 0 {
		return nil
	}
	return []Instance{{Path: unitPath(service.Agent.Unit), Effects: []string{"restart:" + service.Agent.Unit}, Data: struct {
		Program, Hook string
		Clients       []state
	}{ScriptDir + "/agent", ScriptDir + "/unit", clients}}}
}
