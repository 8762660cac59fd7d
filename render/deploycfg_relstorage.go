package render

import (
	"fmt"
	"net"
	"strconv"

	"github.com/plonec/plonec/internal/topology"
	"github.com/plonec/plonec/render/escape"
)

// Eggs lists what the clients need beside the base configuration's own.
func (d deployCfg) Eggs() []string {
	db := d.Storage.RelStorage
	if db == nil {
		return nil
	}
	// Python 2 needs the driver of its time.
	eggs := []string{db.Database().OldDriver}
	if d.WSGI {
		eggs = []string{db.Database().Driver}
	}
	// RelStorage imports it as soon as the base configuration names a server.
	if len(d.MemcachedServers) > 0 {
		eggs = append(eggs, "pylibmc")
	}
	return eggs
}

// packParts are the cookbook's parts for the one host that packs.
func (d deployCfg) packParts() []string {
	names := d.Config.Parts
	parts := []string{names.PackConfig}
	for _, step := range d.packSteps() {
		parts = append(parts, map[string]string{
			"zodbpack": names.Zodbpack, "zodbpack-prepack": names.ZodbpackPrepack, "zodbpack-pack": names.ZodbpackPack, "zodb-clear-refs": names.ZodbClearRefs,
		}[step])
	}
	return parts
}

// packSteps are what a pack takes, by the names that the cookbook gave them.
func (d deployCfg) packSteps() []string {
	s := d.Plone().Relstorage
	steps := []string{"zodbpack"}
	if s.TwoStagePack {
		steps = []string{"zodbpack-prepack", "zodbpack-pack"}
	}
	if s.PackGC && s.TruncateRefs {
		steps = append(steps, "zodb-clear-refs")
	}
	return steps
}

// StorageKeys are the lines of rel-storage for which the stack has a value. Those of
// [relstorage] are taken from there, where the stack's own text may have the last word.
func (d deployCfg) StorageKeys() ([]string, error) {
	db := d.Storage.RelStorage
	keys := []string{"type ${relstorage:db-type}"}
	add := func(key, option string, ok bool) {
		if ok {
			keys = append(keys, key+" ${relstorage:"+option+"}")
		}
	}
	parts := !db.DSN.IsSet() && db.Type != "postgresql"
	add("dsn", "dsn", db.DSN.IsSet() || db.Type != "mysql")
	add("db", "dbname", parts && db.Type == "mysql")
	add("host", "host", parts && db.Type == "mysql")
	add("port", "port", parts && db.Type == "mysql" && db.Port != 0)
	add("user", "user", parts && db.User != "")
	password := map[string]string{"mysql": "passwd", "oracle": "password"}[db.Type]
	add(password, "password", parts && d.PasswordRef() != "")
	dir := d.Blobs().BlobDir
	if !d.Plone().SharedBlobs {
		return append(keys, "blob-dir "+blobCache, "shared-blob-dir false"), nil
	}
	if dir == "" {
		return keys, nil
	}
	dir, err := escape.ZConfig(dir)
	return append(keys, "blob-dir "+dir, "shared-blob-dir true"), err
}

// DSN is what [relstorage] gives as dsn. It never holds a password: libpq
// takes one from the environment, and a DSN that the stack gives whole is a
// secret, to which zope.conf only refers.
func (d deployCfg) DSN() (string, error) {
	db := d.Storage.RelStorage
	if db.DSN.IsSet() {
		return envRef(dsnVar), nil
	}
	switch db.Type {
	case "postgresql":
		dsn := ""
		for _, part := range [][2]string{{"dbname", db.Name}, {"user", db.User}, {"host", db.Host}, {"port", port(db)}} {
			if part[1] != "" {
				dsn += " " + part[0] + "=" + escape.Libpq(part[1])
			}
		}
		return escape.ZConfig(dsn[min(1, len(dsn)):])
	case "oracle":
		host := db.Host
		if db.Port != 0 {
			host = net.JoinHostPort(db.Host, port(db))
		}
		return escape.ZConfig(fmt.Sprintf("%s/%s", host, db.Name))
	case "mysql":
		return "", nil // its driver takes the parts
	}
	return "", fmt.Errorf("nothing says how RelStorage is told of %s", db.Type)
}

// PasswordRef stands where a base configuration asks for the password: ZConfig
// puts the variable's value there when a client starts.
func (d deployCfg) PasswordRef() string {
	db := d.Storage.RelStorage
	if db.DSN.IsSet() || !db.Password.IsSet() {
		return ""
	}
	return envRef(db.Database().PasswordVar)
}

// DatabasePort is empty where the database's own is meant.
func (d deployCfg) DatabasePort() string { return port(d.Storage.RelStorage) }

func port(db *topology.RelStorage) string {
	if db.Port == 0 {
		return ""
	}
	return strconv.Itoa(db.Port)
}

func envRef(name string) string { return "$(" + name + ")" }
