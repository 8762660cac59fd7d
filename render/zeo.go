package render

import "github.com/plonec/plonec/internal/topology"

var _ = renders(nil, Artifact{Template: "zeo.service.tmpl", Each: zeoUnits})

// zeoUnits gives the unit of each ZEO server that no supervisor runs.
func zeoUnits(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		if a.Zeo == nil || a.Supervised() {
			continue
		}
		z := a.Zeo
		u := newUnit(a, z.Unit, "ZEO server", a.Builder().Zeo.For(a.Config.Parts.Zeoserver))
		u.Args = a.Builder().Zeo.Args
		u.Mounts = append([]string{z.FilestorageDir}, u.Mounts...)
		u.Writable = append(u.Writable, z.FilestorageDir)
		u.Address, u.Port, u.DataFS = z.Address, z.Port, z.FilestorageDir+"/Data.fs"
		all = append(all, Instance{Path: unitPath(z.Unit), Effects: []string{"restart:" + z.Unit}, Data: &u})
	}
	return all
}
