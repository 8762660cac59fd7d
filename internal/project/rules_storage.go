package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/topology"
)

func (v *view) otherStorage(say func(diag.Span, string, string)) {
	storage := v.app.Storage
	for _, c := range v.app.Clients {
		e := v.Effective[c.Name]
		if e == nil || v.recipe(c.Name) == "" {
			continue
		}
		other := func(option, what string) {
			say(v.at(c.Name, option, ""), fmt.Sprintf("[%s] %s", c.Name, what), "take "+option+" out of that section: deploy.cfg gives it to all clients")
		}
		switch rel := storage.RelStorage; {
		case rel != nil && isOn(e["zeo-client"]):
			other("zeo-client", "is a client of a ZEO server, and the stack has RelStorage")
		case rel != nil && e["rel-storage"] == "":
			other("rel-storage", "has no rel-storage, and would open a Data.fs of its own")
		case rel != nil && rel.Host != "" && !strings.Contains(e["rel-storage"], rel.Host):
			other("rel-storage", "has a rel-storage that does not name the stack's database server, "+rel.Host)
		case rel != nil:
		case storage.ZeoAddress == "":
			if v.app.AllClients > 1 && !isOn(e["zeo-client"]) && e["rel-storage"] == "" {
				say(v.header(v.app.Config.Parts.Client), fmt.Sprintf("the clients open a Data.fs by themselves, and the stack has %d of them: a second one finds it locked, or another host's", v.app.AllClients),
					"give the stack a ZEO server: a host with the role zeo, or plone_instances.zeo.address; or have one client in all")
			}
		case !isOn(e["zeo-client"]):
			other("zeo-client", "has zeo-client = "+e["zeo-client"]+", and would open a database of its own instead of the stack's, "+storage.ZeoAddress)
		case e["zeo-address"] != storage.ZeoAddress:
			other("zeo-address", "connects to "+e["zeo-address"]+", and the stack's ZEO server is "+storage.ZeoAddress)
		}
		if first := v.app.Clients[0].Name; v.sets(first, "blob-storage") && e["blob-storage"] != v.value(first, "blob-storage") {
			other("blob-storage", "has its blobs in "+v.shown(e["blob-storage"])+", and the stack's are in "+v.shown(v.value(first, "blob-storage")))
		}
	}
	for _, part := range v.made(zopeRecipe) { // a client that no unit runs, and somebody's script may
		address := v.value(part, "zeo-address")
		if slices.ContainsFunc(v.app.Clients, func(c *topology.Client) bool { return c.Name == part }) {
			continue
		}
		if (storage.ZeoAddress != "" || storage.RelStorage != nil) && !isOn(v.value(part, "zeo-client")) && v.value(part, "rel-storage") == "" {
			say(v.header(part), fmt.Sprintf("[%s], which stays a part, opens a Data.fs by itself, and the stack has its database elsewhere", part), "take the part out of the project's parts, or make it from one of the clients: <= client1")
		}
		if storage.ZeoAddress != "" && isOn(v.value(part, "zeo-client")) && address != "" && address != storage.ZeoAddress {
			say(v.at(part, "zeo-address", ""), fmt.Sprintf("[%s], which stays a part, connects to %s, and the stack's ZEO server is %s", part, address, storage.ZeoAddress), "take the part out of the project's parts, or make it from one of the clients: <= client1")
		}
	}
	if v.app.Zeo == nil {
		return
	}
	for _, part := range v.made(serverRecipe) {
		if file := v.value(part, "file-storage"); file != "" && !within(file, v.app.Zeo.FilestorageDir) {
			say(v.at(part, "file-storage", ""), fmt.Sprintf("[%s] has its Data.fs at %s, and the stack's is in %s", part, v.shown(file), v.app.Zeo.FilestorageDir), "take file-storage out of the project")
		}
	}
}

// within tells whether a path is in a directory of the host's, or where a release has a
// link to it.
func within(place, dir string) bool {
	if !path.IsAbs(place) { // a recipe takes it below var
		return place == "filestorage/Data.fs"
	}
	place = path.Clean(place)
	below := func(dir string) bool { return dir != "" && (place == dir || strings.HasPrefix(place, dir+"/")) }
	return below(dir) || below(folder+"/var/filestorage")
}
