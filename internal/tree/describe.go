package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/internal/words"
	"github.com/plonec/plonec/render"
)

// describe says what a host is, as the manifest has it. files are the host's own below
// /etc/plonec, setup is the script that sets a host up.
func describe(h *topology.Host, in Inputs, files []render.File, setup []byte) Host {
	d := Host{
		Name: h.Name, Address: h.Address, SSHAddress: h.SSHAddress, Layers: h.Layers, Status: status(h), SSH: access(h, in),
		Rank: h.Rank(), Helpers: h.Jobs(), Services: []Service{}, Apps: []App{}, Packages: render.Packages(h), Setup: setupSum(files, setup),
	}
	for _, s := range h.Services() {
		d.Services = append(d.Services, Service{Unit: s.Unit, Kind: s.Kind.Name, App: s.App, Server: s.Server, Rank: s.Rank(), IPv6: s.Kind.IPv6.Is(h.Stack)})
	}
	for _, c := range render.Certificates(h) {
		d.Certificates = append(d.Certificates, Certificate(c))
	}
	for _, a := range h.Apps {
		app := App{
			Name: a.Name, Builder: a.Builder().Name, Config: configSum(a, files), Storage: a.Database(), Revision: a.Config.SCM.Revision,
			Always: a.Config.AlwaysBuildoutOnDeploy, DataFS: a.DataDir(), Duties: a.Duties(), Key: render.DeployKey(a),
			FrontendHere: render.FrontendHere(a),
		}
		if by := a.ServedBy(); by != nil {
			app.ServedBy = Server{by.Host.Name, by.Name}
		}
		d.Apps = append(d.Apps, app)
	}
	return d
}

// configSum stands for what a release is made of, less the commit and secrets: it
// is the first of the sums that config_sum of templates/host/release.sh gives.
func configSum(a *topology.App, files []render.File) string {
	h := sha256.New()
	for _, in := range a.Builder().Inputs {
		lines := content(files, "/etc/plonec/"+a.Name+"/"+in.File)
		if in.Lines != "" {
			lines = words.Beginning(lines, in.Lines)
		}
		h.Write(lines)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// setupSum stands for what setup depends on: the host compares it with that of the
// last setup. files are sorted by path.
func setupSum(files []render.File, setup []byte) string {
	h := sha256.New()
	h.Write(setup)
	h.Write(content(files, "/etc/plonec/host.env"))
	for _, ending := range []string{"/app.conf", "/build.conf"} {
		for _, f := range files {
			if strings.HasPrefix(f.Path, "/etc/plonec/") && strings.HasSuffix(f.Path, ending) {
				h.Write(words.Beginning(f.Content, "APP", "DEPLOY_TO", "FILESTORAGE_DIR", "BLOB_DIR", "BUILD_PYTHON", "BUILD_NODE"))
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func content(files []render.File, path string) []byte {
	for _, f := range files {
		if f.Path == path {
			return f.Content
		}
	}
	return nil
}
