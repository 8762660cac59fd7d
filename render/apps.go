package render

import (
	"maps"
	"slices"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/schema"
)

// appArtifacts are the files of the apps themselves. Their processes' units
// are in units.go.
var appArtifacts = []Artifact{
	{Template: deployCfgName + ".tmpl", Mode: 0o640, Each: deployCfgs},
	{Template: "release.file.tmpl", Mode: 0o640, Each: releaseFiles},
}

// releaseFile is where a file of a release lies on the host.
func releaseFile(a *topology.App, name string) string { return appDir(a) + "/files/" + name }

// releaseFiles gives the texts that releases have beside their commits.
func releaseFiles(h *topology.Host) []Instance {
	var all []Instance
	for _, a := range h.Apps {
		for _, name := range slices.Sorted(maps.Keys(a.Config.Files)) {
			if f := a.Config.Files[name]; !f.Secret.IsSet() {
				all = append(all, Instance{Path: releaseFile(a, name), Effects: []string{"deploy:" + a.Name}, Data: f.Text})
			}
		}
	}
	return all
}

// releaseSecrets gives those that are secrets.
func releaseSecrets(a *topology.App) []SecretFile {
	var files []SecretFile
	for _, name := range slices.Sorted(maps.Keys(a.Config.Files)) {
		if f := a.Config.Files[name]; f.Secret.IsSet() {
			files = append(files, SecretFile{
				Path: releaseFile(a, name), Mode: 0o600, Owner: "root:root", Effects: []string{"deploy:" + a.Name},
				Format: "raw", Entries: []SecretEntry{entry("", f.Secret)},
			})
		}
	}
	return files
}

func secretsFile(a *topology.App) string { return appDir(a) + "/secrets.env" }

// appSecrets gives each app's secrets.env. Root alone reads it, systemd for the
// app's processes: their group may be a daemon's own. Beside it are the secrets
// that its deploy.cfg extends.
func appSecrets(h *topology.Host) []SecretFile {
	var files []SecretFile
	for _, a := range h.Apps {
		if len(a.Clients) > 0 || a.Zeo != nil {
			files = append(files, configSecrets(a)...)
		}
		files = append(files, releaseSecrets(a)...)
		entries := secretEnv(a)
		if len(entries) == 0 {
			continue
		}
		f := SecretFile{Path: secretsFile(a), Mode: 0o600, Owner: "root:root", Format: "env"}
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			f.Entries = append(f.Entries, entry(key, entries[key]))
		}
		for _, unit := range a.Units() {
			f.Effects = append(f.Effects, "restart:"+unit)
		}
		files = append(files, f)
	}
	return files
}

// dsnVar is the variable by which a data source name reaches the clients.
const dsnVar = "PLONEC_DSN"

// secretEnv is what an app's processes find in their environment beside what
// their units say.
func secretEnv(a *topology.App) map[string]schema.Secret {
	entries := map[string]schema.Secret{}
	for name, v := range a.Config.Environment {
		if v.Secret.IsSet() {
			entries[name] = v.Secret
		}
	}
	if db := a.Storage.RelStorage; db != nil {
		switch {
		case db.DSN.IsSet():
			entries[dsnVar] = db.DSN
		case db.Password.IsSet():
			entries[db.Database().PasswordVar] = db.Password
		}
	}
	return entries
}

// appDir is where an app's files lie on its host.
func appDir(a *topology.App) string { return "/etc/plonec/" + a.Name }
