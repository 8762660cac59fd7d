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
		for _, p := range slices.Concat(a.Processes()...) {
			if all := (state{p.Address, service.AgentPort, "*"}); !slices.Contains(clients, all) {
				clients = append(clients, all)
			}
			clients = append(clients, state{p.Address, p.AgentPort, strings.TrimSuffix(p.Unit, ".service")})
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
