package render

import "github.com/plonec/plonec/internal/service"

var _ = renders(nil,
	Artifact{Template: "statesync.tmpl", Mode: 0o755, Each: of(service.Statesync, service.SyncProgram)},
	Artifact{Template: "statesync.service.tmpl", Each: of(service.Statesync, service.Statesync.Config)},
)

// SyncProgram is what the unit runs.
func (hostView) SyncProgram() string { return service.SyncProgram }
