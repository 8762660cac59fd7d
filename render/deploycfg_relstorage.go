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
	s := d.Plone().Relstorage
	parts := []string{"pack-config"}
	if s.TwoStagePack {
		parts = append(parts, "zodbpack-prepack", "zodbpack-pack")
	} else {
		parts = append(parts, "zodbpack")
	}
	if s.PackGC && s.TruncateRefs {
		parts = append(parts, "zodb-clear-refs")
	}
	return parts
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
