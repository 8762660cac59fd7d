package topology

import (
	"slices"
	"strings"
)

// A Database is a kind of database that RelStorage keeps objects in.
type Database struct {
	Type  string   // as RelStorage calls it
	Names []string // what the cookbook and OpsWorks' databases call it besides
	Title string
	Port  int // its usual one

	Driver, OldDriver string   // Python packages that speak to it; the old one under Python 2
	Packages          []string // of the system, with which the driver is compiled where it has no wheel
	// PasswordVar is the variable by which the password reaches the clients.
	// libpq takes PGPASSWORD by itself; the other is referred to in deploy.cfg.
	PasswordVar string
}

var databases = []Database{
	{
		Type: "postgresql", Names: []string{"postgres"}, Title: "PostgreSQL", Port: 5432,
		Driver: "psycopg2", OldDriver: "psycopg2", Packages: []string{"gcc", "libpq-dev", "python3-dev"}, PasswordVar: "PGPASSWORD",
	},
	{
		Type: "mysql", Names: []string{"mysql2"}, Title: "MySQL", Port: 3306,
		Driver: "mysqlclient", OldDriver: "MySQL-python", Packages: []string{"default-libmysqlclient-dev", "gcc", "pkg-config", "python3-dev"},
		PasswordVar: "PLONEC_DB_PASSWORD",
	},
	{Type: "oracle", Title: "Oracle", Port: 1521, Driver: "oracledb", OldDriver: "cx_Oracle", PasswordVar: "PLONEC_DB_PASSWORD"},
}

// Databases are the kinds of databases that RelStorage knows.
func Databases() []Database { return databases }

// databaseType is RelStorage's name of a kind of database, empty for another one.
func databaseType(name string) string {
	name = strings.ToLower(name)
	for _, d := range databases {
		if d.Type == name || slices.Contains(d.Names, name) {
			return d.Type
		}
	}
	return ""
}

// Database is the kind of the database. Resolve reports a stack with another one.
func (r *RelStorage) Database() Database {
	i := slices.IndexFunc(databases, func(d Database) bool { return d.Type == r.Type })
	if i < 0 {
		panic("no kind of database is called " + r.Type)
	}
	return databases[i]
}
