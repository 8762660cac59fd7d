package opsworks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plonec/plonec/internal/diag"
	"github.com/plonec/plonec/internal/input"
	"github.com/plonec/plonec/schema"
)

// outputs are the commands of aws opsworks whose output is read, by its one
// key. What comes of an output without a use here is said in the report.
var outputs = []struct{ key, command string }{
	{"Stacks", "describe-stacks"},
	{"Layers", "describe-layers"},
	{"Instances", "describe-instances"},
	{"Apps", "describe-apps"},
	{"Volumes", "describe-volumes"},
	{"ElasticIps", "describe-elastic-ips"},
	{"RdsDbInstances", "describe-rds-db-instances"},
	{"ElasticLoadBalancers", "describe-elastic-load-balancers"},
	{"TimeBasedAutoScalingConfigurations", "describe-time-based-auto-scaling"},
	{"LoadBasedAutoScalingConfigurations", "describe-load-based-auto-scaling"},
}

// sources are the files, sorted by what they are.
type sources struct {
	sources []string // each file's name and what it is

	// JSON by precedence: what a host received; the stack's custom JSON as
	// describe-stacks has it; custom JSON in a file of its own, a deployment's.
	host, stack, custom *input.Node

	outputs map[string][]*input.Node // entries of the outputs, by their key
}

// reader reads the files.
type reader struct {
	*sources
	list diag.List
}

func read(files []*diag.File) (*sources, diag.List) {
	r := &reader{sources: &sources{outputs: map[string][]*input.Node{}}}
	for i, f := range files {
		f.Order = i
		tree, list := input.ReadJSON(f)
		r.list = append(r.list, list...)
		if tree == nil {
			continue
		}
		if tree.Kind != input.Map {
			r.refuse(f, "want a map, got "+tree.Kind.String())
			continue
		}
		schema.Mask(tree)
		r.file(f, tree)
	}
	if r.host == nil && r.custom == nil && len(r.outputs) == 0 && r.list.Errors() == 0 {
		r.list.Add(diag.Diagnostic{Code: "not-opsworks", Span: diag.Span{File: files[0]}, Message: "it lists nothing, and neither does another file",
			Remedy: "ask with the region and the account of the stack: aws opsworks --region REGION describe-stacks"})
	}
	if r.list.Errors() == 0 {
		r.oneStack(files[0])
	}
	layers := r.outputs["Layers"]
	for i, l := range layers {
		layers[i] = put(l, []string{"CustomJson"}, r.json(l.Get("CustomJson"), "the CustomJson of the layer "+str(l, "Shortname", "Name")))
	}
	return r.sources, r.list
}

// refuse reports a file that is nothing of OpsWorks'.
func (r *reader) refuse(f *diag.File, message string) {
	r.list.Add(diag.Diagnostic{Code: "not-opsworks", Span: diag.Span{File: f}, Message: message,
		Remedy: "give a stack's JSON, or the output of aws opsworks describe-stacks, -layers, -instances, -apps"})
}

// file recognises a file by what is in it.
func (r *reader) file(f *diag.File, tree *input.Node) {
	if resources := tree.Get("Resources"); slices.ContainsFunc(fieldsOf(resources), func(x input.Field) bool { return strings.HasPrefix(str(x.Value, "Type"), "AWS::") }) {
		r.template(f, resources)
		return
	}
	var found []string
	for _, o := range outputs {
		entries := tree.Get(o.key)
		if entries == nil || entries.Kind != input.List {
			continue
		}
		found = append(found, o.command)
		for _, e := range entries.Items {
			if e.Kind == input.Map {
				r.outputs[o.key] = append(r.outputs[o.key], e)
			}
		}
	}
	switch {
	case len(found) > 0:
		r.is(f, "output of "+strings.Join(found, ", "))
	case !slices.ContainsFunc(tree.Fields, func(x input.Field) bool { return known(x.Key) }):
		r.refuse(f, "none of its keys is OpsWorks' or the cookbook's")
	case tree.Lookup("opsworks", "layers") != nil || tree.Lookup("opsworks", "instance") != nil:
		r.is(f, "JSON of a host")
		r.host = input.Merge(r.host, tree)
	default:
		r.is(f, "custom JSON")
		r.custom = input.Merge(r.custom, tree)
	}
}

func (r *reader) is(f *diag.File, what string) {
	r.sources.sources = append(r.sources.sources, f.Name+": "+what)
}

func known(name string) bool { return schema.Root().Field(name) != nil }

// template takes the resources of a CloudFormation template, whose properties
// are called as the outputs call them; a resource is known by its own name.
func (r *reader) template(f *diag.File, resources *input.Node) {
	of := map[string]struct{ output, id string }{
		"AWS::OpsWorks::Stack":    {"Stacks", "StackId"},
		"AWS::OpsWorks::Layer":    {"Layers", "LayerId"},
		"AWS::OpsWorks::Instance": {"Instances", "InstanceId"},
		"AWS::OpsWorks::App":      {"Apps", "AppId"},
	}
	found := 0
	for _, x := range fieldsOf(resources) {
		kind, ok := of[str(x.Value, "Type")]
		if !ok {
			continue
		}
		found++
		entry := plain(x.Value.Get("Properties"))
		if entry == nil {
			entry = mapping()
		}
		r.outputs[kind.output] = append(r.outputs[kind.output], put(entry, []string{kind.id}, text(x.Key)))
	}
	if found == 0 {
		r.refuse(f, "the template creates nothing in OpsWorks")
		return
	}
	r.is(f, "CloudFormation template")
}

// plain is a template's value without its functions: {"Ref": "X"} is X, what
// else a function would give is not known, and so not set.
func plain(n *input.Node) *input.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == input.List:
		var items []*input.Node
		for _, item := range n.Items {
			if item = plain(item); item != nil {
				items = append(items, item)
			}
		}
		return &input.Node{Kind: input.List, Span: n.Span, Items: items}
	case n.Kind != input.Map:
		return n
	}
	var fields []input.Field
	for _, f := range n.Fields {
		if strings.HasPrefix(f.Key, "Fn::") {
			return nil
		}
		if f.Key == "Ref" && len(n.Fields) == 1 && f.Value.Kind == input.String {
			if strings.HasPrefix(f.Value.Text, "AWS::") {
				return nil
			}
			return f.Value
		}
		if f.Value = plain(f.Value); f.Value != nil {
			fields = append(fields, f)
		}
	}
	return input.NewMap(n.Span, fields)
}

// oneStack makes sure that all entries are of one stack, and takes its custom
// JSON. describe-stacks prints all stacks of a region: the other outputs say
// which one is meant.
func (r *reader) oneStack(f *diag.File) {
	var ids []string
	for _, o := range outputs[1:] {
		for _, e := range r.outputs[o.key] {
			if id := str(e, "StackId"); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > 1 {
		r.refuse(f, fmt.Sprintf("the files describe %d stacks: %s", len(ids), strings.Join(ids, ", ")))
		return
	}
	stacks := r.outputs["Stacks"]
	if len(stacks) == 0 {
		return
	}
	if len(ids) == 1 || len(stacks) > 1 {
		meant := slices.DeleteFunc(slices.Clone(stacks), func(s *input.Node) bool { return len(ids) == 0 || str(s, "StackId") != ids[0] })
		if len(meant) != 1 {
			var names []string
			for _, s := range stacks {
				names = append(names, str(s, "Name")+" ("+str(s, "StackId")+")")
			}
			r.list.Add(diag.Diagnostic{Code: "not-opsworks", Span: diag.Span{File: f},
				Message: "the files describe several stacks: " + strings.Join(names, ", "),
				Remedy:  "give the output of describe-stacks --stack-ids ID for one of them, and the other outputs for the same stack"})
			return
		}
		stacks = meant
	}
	r.outputs["Stacks"] = stacks
	r.stack = r.json(stacks[0].Get("CustomJson"), "the stack's CustomJson")
}

// json reads custom JSON, which outputs hold as a text and templates as a map.
func (r *reader) json(n *input.Node, what string) *input.Node {
	if n == nil || n.Kind == input.Null || n.Kind == input.String && strings.TrimSpace(n.Text) == "" {
		return nil
	}
	if n.Kind == input.String {
		tree, list := input.ReadJSON(&diag.File{Name: what, Content: []byte(n.Text), Order: 1000 + len(r.list)})
		r.list = append(r.list, list...)
		n = tree
	}
	if n == nil || n.Kind != input.Map {
		return nil
	}
	schema.Mask(n)
	return n
}
