package render

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"

	"github.com/plonec/plonec/internal/service"
	"github.com/plonec/plonec/templates"
)

var _ = renders(nil,
	Artifact{Template: "statesync.tmpl", Mode: 0o755, Each: of(service.Statesync, service.SyncProgram)},
	Artifact{Template: "statesync.service.tmpl", Each: of(service.Statesync, service.Statesync.Config)},
)

// SyncProgram is what the unit runs.
func (hostView) SyncProgram() string { return service.SyncProgram }

// syncSum is the sum of the program, so that another one changes the unit, which restarts.
// The program has no effect of its own: with it, plonec 0.1 would restart a unit that is gone.
var syncSum = func() string {
	text, err := fs.ReadFile(templates.FS, "statesync/statesync.tmpl")
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}()

// SyncSum is that for the unit.
func (hostView) SyncSum() string { return syncSum }
