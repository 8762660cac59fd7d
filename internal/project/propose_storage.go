package project

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/schema"
)

// storage says where the objects are: in a database, behind a ZEO server, or in a Data.fs
// that a client opens by itself, which gets a ZEO server.
func (p *proposal) storage() {
	if made := p.v.made(serverRecipe); len(made) > 0 {
		p.serverPart = made[0]
	} else {
		p.serverPart = p.v.closest(serverRecipe)
	}
	address := p.text(p.clientPart, "zeo-address")
	switch {
	case p.relStorage():
		p.database()
	case p.serverPart != "":
		p.server()
		p.blobs(p.clientPart, p.serverPart)
	case p.clientPart == "":
	case isOn(p.text(p.clientPart, "zeo-client")) || address != "":
		p.serverElsewhere(address)
		p.blobs(p.clientPart)
	default:
		p.ownDatabase()
	}
}

// serves has the host run a ZEO server of the app.
func (p *proposal) serves() {
	p.servesZeo = true
	p.set("instances."+hostName+".layers", []string{"lb", "plone_instances", "zeoserver"}, "")
	p.set("plone_zeoserver.app_name", siteName, "")
	if p.base != schema.Lookup("plone_zeoserver.base_config").Default.Text {
		p.set("plone_zeoserver.base_config", p.base, "")
	}
}

// server is the project's own ZEO server.
func (p *proposal) server() {
	p.serves()
	if p.serverPart != "zeoserver" {
		p.set(ofApp("parts.zeoserver"), p.serverPart, "")
	}
	p.zeoOption = p.option("zeo-address", append([]string{p.clientPart}, append(p.v.made(zopeRecipe), p.serverPart)...)...)
	if p.zeoOption != schema.Lookup("deploy.<app>.parts.zeo_address").Default.Text {
		p.set(ofApp("parts.zeo_address"), p.zeoOption, "")
	}
	p.data(p.serverPart)
	if n := p.text(p.serverPart, "storage-number"); n != "" && n != "1" {
		p.decide(ofApp("parts.zeoserver"), fmt.Sprintf("the ZEO server calls its storage %s, and plonec's is 1", n), "nothing is to be done, unless something else connects to it")
	}
}

// option is the one that sections refer to for an option of theirs, as in
// zeo-address = ${zeo-host:address}; empty: they refer to none that deploy.cfg may write.
func (p *proposal) option(name string, sections ...string) string {
	for _, section := range sections {
		m := toOption.FindStringSubmatch(strings.TrimSpace(p.v.Own[p.v.holder(section, name)][name].Value))
		if m == nil || m[0] != strings.TrimSpace(p.v.Own[p.v.holder(section, name)][name].Value) {
			continue
		}
		if option := m[1] + ":" + m[2]; writable.MatchString(option) && !reservedOption.MatchString(option) && m[1] != p.clientPart {
			return option
		}
	}
	return ""
}

var (
	// writable and reservedOption are what deploy.<app>.parts takes for an option, and does not.
	writable       = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}:[A-Za-z0-9_.-]{1,64}$`)
	reservedOption = regexp.MustCompile(`^(buildout|versions|sources|plonec|plonec-client|client[0-9]+):`)
	// plainDir is a path that every file takes as it is.
	plainDir = regexp.MustCompile(`^(/[A-Za-z0-9_.-]+)+$`)
)

// onHost is the path of a host's own in an option; empty: it has none, or one in the release.
func onHost(value string) string {
	if value = path.Clean(value); plainDir.MatchString(value) && !strings.HasPrefix(value, folder+"/") {
		return value
	}
	return ""
}

// data says where Data.fs is.
func (p *proposal) data(section string) {
	const attribute = "plone_zeoserver.filestorage_dir"
	if file := onHost(p.text(section, "file-storage")); file != "" && path.Dir(file) != "/" {
		p.set(attribute, path.Dir(file), fmt.Sprintf("As file-storage of [%s] has it.", section))
		if path.Base(file) != "Data.fs" {
			p.decide(attribute, fmt.Sprintf("the database is %s today, and plonec's is Data.fs in the same directory", file), "rename it before the first deploy, and remove its .index")
		}
		return
	}
	p.set(attribute, "/srv/data/filestorage", "DECIDE: where Data.fs lies on the host.")
	copied := "copy Data.fs there"
	if name := path.Base(path.Clean(p.text(section, "file-storage"))); name != "." && name != "Data.fs" {
		copied = fmt.Sprintf("copy %s there as Data.fs, without its .index,", name)
	}
	p.decide(attribute, "the project has its Data.fs in its own directory, and plonec in one of the host's; the one written is an example",
		"write a directory on a disk that stays, and "+copied+" before the first deploy; without a Data.fs the first deploy takes --new-database")
}

// blobs says where blobs are, and whether the clients share them.
func (p *proposal) blobs(sections ...string) {
	if !isOn(p.text(p.clientPart, "shared-blob")) {
		p.set("plone_instances.shared_blobs", false, "")
	}
	for _, section := range slices.Backward(sections) { // of the ZEO server first: it has them all
		if dir := onHost(p.text(section, "blob-storage")); dir != "" {
			p.set("plone_blobs.blob_dir", dir, fmt.Sprintf("As blob-storage of [%s] has it.", section))
			return
		}
	}
}

// serverElsewhere is a ZEO server that is not the project's.
func (p *proposal) serverElsewhere(address string) {
	if regexp.MustCompile(`^[A-Za-z0-9.-]+:[0-9]+$`).MatchString(address) {
		p.set("plone_instances.zeo.address", address, fmt.Sprintf("As zeo-address of [%s] has it.", p.clientPart))
		return
	}
	p.set("plone_instances.zeo.address", "zeo.example.com:8001", "PLACEHOLDER: where the ZEO server is.")
	p.decide("plone_instances.zeo.address", "the clients are a ZEO server's, and the project does not say where that is; the address written is a placeholder", "write its address and port")
}

// ownDatabase makes a ZEO server over the Data.fs that a client opens by itself.
func (p *proposal) ownDatabase() {
	p.serves()
	if p.v.header("zeo-host").File == nil {
		p.set(ofApp("parts.zeo_address"), "", "")
	}
	p.addition += "[zeoserver]\nrecipe = plone.recipe.zeoserver\n"
	if p.v.holder(p.clientPart, "eggs") != "" {
		p.addition += fmt.Sprintf("eggs = ${%s:eggs}\n", p.clientPart)
	}
	p.data(p.clientPart)
	if dir := onHost(p.text(p.clientPart, "blob-storage")); dir != "" {
		p.set("plone_blobs.blob_dir", dir, fmt.Sprintf("As blob-storage of [%s] has it: the ZEO server and the clients share it.", p.clientPart))
	} else { // their directory becomes the server's, and must not be a cache of a client's too
		p.set("plone_instances.shared_blobs", false, "")
		if p.v.holder(p.clientPart, "blob-storage") != "" {
			p.addition += fmt.Sprintf("blob-storage = ${%s:blob-storage}\n", p.clientPart)
		}
	}
	p.decide(ofApp("buildout_additional_config"), fmt.Sprintf("[%s] opens its Data.fs itself, as only one client can; the stack has a ZEO server over the same file", p.clientPart),
		"stop what has the file open before the first deploy")
}

var inDSN = regexp.MustCompile(`(\w+)\s*=\s*(?:'([^']*)'|([^\s']+))`)

// database is what rel-storage says.
func (p *proposal) database() {
	const db = "plone_instances.relstorage.db"
	p.set("plone_instances.enable_relstorage", true, fmt.Sprintf("As rel-storage of [%s] has it.", p.clientPart))
	keys := map[string]string{}
	for line := range strings.Lines(p.text(p.clientPart, "rel-storage")) {
		if words := strings.Fields(line); len(words) > 1 && !strings.Contains(line, "${") {
			keys[words[0]] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), words[0]))
		}
	}
	if config := schema.Lookup("plone_instances.relstorage.config").Default.Text; p.v.closure.byPlace[config] == nil {
		p.set("plone_instances.relstorage.config", "", "The base has it.")
	}
	for _, m := range inDSN.FindAllStringSubmatch(keys["dsn"], -1) {
		keys[m[1]] = m[2] + m[3]
	}
	p.memcached()
	var unknown []string
	for _, of := range []struct {
		name, placeholder string
		keys              []string
		good              *regexp.Regexp
	}{
		{"type", "", []string{"type"}, regexp.MustCompile(`^(postgresql|mysql|oracle)$`)},
		{"host", "database.example.com", []string{"host"}, regexp.MustCompile(`^[A-Za-z0-9.:-]+$`)},
		{"name", "plone", []string{"db", "dbname"}, regexp.MustCompile(`^[A-Za-z0-9_.$-]+$`)},
		{"user", "plone", []string{"user"}, regexp.MustCompile(`^[A-Za-z0-9_.@-]+$`)},
	} {
		value := ""
		for _, k := range of.keys {
			if of.good.MatchString(keys[k]) {
				value = keys[k]
			}
		}
		switch {
		case value != "":
			p.set(db+"."+of.name, value, "")
		case of.placeholder != "":
			p.set(db+"."+of.name, of.placeholder, "PLACEHOLDER: the project does not say it.")
			unknown = append(unknown, of.name)
		}
	}
	if len(unknown) > 0 {
		p.decide(db, "the project does not say the database's "+strings.Join(unknown, ", ")+"; what is written are placeholders", "write where the database is and who may use it")
	}
	if port, err := strconv.Atoi(keys["port"]); err == nil && port > 0 && port < 65536 {
		p.set(db+".port", port, "")
	}
	password := keys["passwd"] + keys["password"]
	if strings.Contains(password, "$") {
		password = ""
	}
	p.secret(db+".password", "database", password, "RelStorage needs the database's password")
	if !isOn(keys["shared-blob-dir"]) && !isOn(p.text(p.clientPart, "shared-blob")) {
		p.set("plone_instances.shared_blobs", false, "")
	} else if dir := onHost(keys["blob-dir"]); dir != "" {
		p.set("plone_blobs.blob_dir", dir, fmt.Sprintf("As blob-dir of [%s] has it.", p.clientPart))
	}
	p.packing()
}

// memcached is the option that rel-storage has its servers from.
func (p *proposal) memcached() {
	raw := p.v.Own[p.v.holder(p.clientPart, "rel-storage")]["rel-storage"].Value
	for line := range strings.Lines(raw) {
		words := strings.Fields(line)
		if len(words) != 2 || words[0] != "cache-servers" {
			continue
		}
		option := ""
		if m := toOption.FindStringSubmatch(words[1]); m != nil {
			option = m[1] + ":" + m[2]
		}
		if writable.MatchString(option) && !reservedOption.MatchString(option) && option != schema.Lookup("deploy.<app>.parts.memcached").Default.Text {
			p.set(ofApp("parts.memcached"), option, "")
		}
	}
}

// packing finds the part by which a project packs RelStorage.
func (p *proposal) packing() {
	for _, part := range p.v.parts() {
		if !strings.HasPrefix(p.v.recipe(part), "zc.recipe.egg") || !slices.Contains(strings.Fields(strings.ReplaceAll(p.text(part, "scripts"), "=", " ")), "zodbpack") {
			continue
		}
		p.set("plone_instances.relstorage.enable_pack", true, fmt.Sprintf("[%s] packs.", part))
		if part != "zodbpack" {
			p.set(ofApp("parts.zodbpack"), part, "")
		}
		config := ""
		for _, name := range slices.Sorted(maps.Keys(p.v.Own[part])) {
			for _, m := range toOption.FindAllStringSubmatch(p.v.Own[part][name].Value, -1) {
				if strings.HasPrefix(p.v.recipe(m[1]), "collective.recipe.template") {
					config = m[1]
				}
			}
		}
		if config != "pack-config" {
			p.set(ofApp("parts.pack-config"), config, "")
		}
		return
	}
}
