package render

import "github.com/plonec/plonec/internal/topology"

var _ = renders(nil, Artifact{Template: "command.service.tmpl", Each: commandUnits})

// commandUnits gives the units of an app's other processes, or of the supervisor that
// runs all of them.
func commandUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Supervised() {
			program := a.Builder().Supervisor
			u := newUnit(a, a.Units()[0], "Supervisor", program.For(a.Config.BuildoutSupervisorPart))
			all = append(all, command(u, program.Args, a))
			continue
		}
		for _, c := range a.Commands {
			all = append(all, command(newUnit(a, c.Unit, c.Name, c.Cmd), c.Args, a))
		}
	}
	return all
}

func command(u unit, args string, a *topology.App) Instance {
	// It may be anything, a Java or Node program too: what would break those is left out.
	u.lifted = append([]string{writeExecute, callFilter}, liftedBy(a)...)
	if a.Zeo != nil { // a supervisor runs it
		u.Writable = append(u.Writable, a.Zeo.FilestorageDir)
	}
	u.Args = args
	return Instance{Path: unitPath(u.Unit), Effects: []string{"restart:" + u.Unit}, Data: &u}
}
