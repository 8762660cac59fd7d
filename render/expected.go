package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// expected says which of an app's processes have a configuration that is held against
// the stack before a release is switched to, and what it has to say. Rows of processes
// are "NAME KIND PROGRAM CONF [INI]", those of what is expected "NAME KEY ATTRIBUTE
// VALUE", of all clients with the name "clients": see templates/builders/compare-confs. What
// the stack leaves to the buildout is no row.
func expected(a *topology.App) (processes, rows []string) {
	b := a.Builder()
	if b.ClientConf.Path != "" {
		for _, c := range a.Clients {
			processes = append(processes, fmt.Sprintf("%s client %s %s %s", c.Name, b.Client.For(c.Name), b.ClientConf.For(c.Name), b.ClientIni.For(c.Name)))
			rows = append(rows, c.Name+" listen address "+topology.HostPort(c.Address, c.Port))
		}
		if len(a.Clients) > 0 {
			rows = append(rows, ofClients(a)...)
		}
	}
	if z := a.Zeo; z != nil && b.ZeoConf.Path != "" {
		processes = append(processes, fmt.Sprintf("zeo server %s %s", b.Zeo.For(a.Config.Parts.Zeoserver), b.ZeoConf.For(a.Config.Parts.Zeoserver)))
		rows = append(rows, ofZeo(z)...)
	}
	return processes, rows
}

// storageName is what a ZEO server of the stack's calls its storage: no attribute says
// another name.
const storageName = "1"

func ofClients(a *topology.App) (rows []string) {
	s := a.Host.Stack
	p := s.PloneInstances
	expect := func(key, by, value string) { rows = append(rows, "clients "+key+" "+by+" "+value) }
	expect("threads", "plone_instances.zserver_threads", strconv.Itoa(a.Clients[0].Threads))
	switch db := a.Storage.RelStorage; {
	case db != nil:
		for _, r := range relstorageRows(a) {
			expect(r.key, r.by, r.value)
		}
		if caches := a.MemcachedServers; len(caches) > 0 {
			by := "plone_instances.relstorage.cache_servers"
			if p.Relstorage.CacheServers == "" {
				by = "plone_instances.relstorage.enable_cache"
			}
			expect("caches", by, strings.Join(caches, " "))
		}
	case a.Storage.ZeoAddress != "":
		by := "plone_instances.zeo_layer"
		if p.Zeo.Address != "" {
			by = "plone_instances.zeo.address"
		}
		expect("server", by, a.Storage.ZeoAddress)
		if a.Storage.Zeo != nil {
			expect("storage", by, storageName)
		}
	}
	if a.AllClients > 1 {
		expect("several", "plone_instances.zeo_layer", "yes")
	}
	switch {
	case !p.SharedBlobs:
		expect("shared", "plone_instances.shared_blobs", "no")
		expect("cache", "plone_instances.shared_blobs", "var/blobcache")
	case s.PloneBlobs.BlobDir != "":
		expect("shared", "plone_instances.shared_blobs", "yes")
		expect("blobs", "plone_blobs.blob_dir", s.PloneBlobs.BlobDir)
	}
	return rows
}

func ofZeo(z *topology.ZeoServer) (rows []string) {
	expect := func(key, by, value string) { rows = append(rows, "zeo "+key+" "+by+" "+value) }
	if (deployCfg{App: z.App}).ZeoListens() != "" {
		expect("listen", "address", topology.HostPort(z.Address, z.Port))
	}
	expect("storage", "plone_zeoserver.app_name", storageName)
	if z.FilestorageDir != "" {
		expect("file", "plone_zeoserver.filestorage_dir", z.FilestorageDir+"/Data.fs")
	}
	if z.BlobDir != "" {
		expect("blobs", "plone_blobs.blob_dir", z.BlobDir)
	}
	return rows
}

type relstorageRow struct{ key, by, value string }

// relstorageRows are the keys of RelStorage that the stack has a value for. A secret
// is there as the reference that stands for it.
func relstorageRows(a *topology.App) (rows []relstorageRow) {
	db, s := a.Storage.RelStorage, deployCfg{App: a}
	// The app's own database counts where the stack gives no other.
	top, names := "plone_instances.relstorage.db.", map[string]string{"database": "name"}
	if own := a.Host.Stack.PloneInstances.Relstorage.DB; own.Name == "" && db.Name != "" {
		top, names = "deploy."+a.Name+".database.", map[string]string{"type": "adapter", "user": "username"}
	}
	add := func(key, value string) {
		if value != "" {
			by := names[key]
			if by == "" {
				by = key
			}
			rows = append(rows, relstorageRow{key, top + by, value})
		}
	}
	add("type", db.Type)
	if db.DSN.IsSet() {
		add("dsn", envRef(dsnVar))
		return rows
	}
	if db.Type == "oracle" {
		server := db.Host
		if db.Port != 0 {
			server = topology.HostPort(db.Host, db.Port)
		}
		add("dsn", server+"/"+db.Name)
	} else {
		add("database", db.Name)
		add("host", db.Host)
		add("port", port(db))
	}
	add("user", db.User)
	add("password", s.PasswordRef())
	return rows
}
