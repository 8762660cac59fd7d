package diag

import (
	"io"
	"net/url"

	"github.com/plonec/plonec/internal/words"
)

// SARIF is the format of OASIS for what programs find in files, version 2.1.0,
// with the errata: code scanning and editors read it. It holds no source line,
// and so nothing that is masked.
type SARIF struct {
	Version string                   // of plonec
	Path    func(name string) string // as GitHub's
	// Stack is the name of the file that stands for what has no place: code
	// scanning refuses a result without one. Empty: there is none.
	Stack string
}

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
		Configuration    struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"` // of the first character after the region
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifResult struct {
		Rule      string          `json:"ruleId"`
		Index     int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		Home    string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Columns string        `json:"columnKind"`
		Results []sarifResult `json:"results"`
	}
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
)

// Format writes the diagnostics to w.
func (s SARIF) Format(w io.Writer, list List) error {
	run := sarifRun{Columns: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "plonec", Version: s.Version, Home: "https://github.com/plonec/plonec", Rules: []sarifRule{}}
	rules := map[string]int{}
	for _, d := range list.Sorted() {
		index, known := rules[d.Code]
		if !known {
			index = len(rules)
			rules[d.Code] = index
			code := Codes[d.Code]
			rule := sarifRule{ID: d.Code, ShortDescription: sarifText{code.Title}, Help: sarifText{code.Mend}}
			rule.Configuration.Level = code.Severity.String()
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		run.Results = append(run.Results, sarifResult{
			Rule: d.Code, Index: index, Level: d.Severity().String(),
			Message: sarifText{d.sentence()}, Locations: s.locations(d),
		})
	}
	_, err := io.WriteString(w, words.JSON(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}))
	return err
}

func (s SARIF) locations(d Diagnostic) []sarifLocation {
	var at sarifLocation
	name := s.Stack
	if d.Span.File != nil {
		name = d.Span.File.Name
	}
	if name != "" {
		uri := url.URL{Path: inRepository(s.Path, name)}
		at.Physical = &sarifPhysical{Artifact: sarifArtifact{uri.String(), "%SRCROOT%"}}
	}
	if d.Span.HasPlace() {
		start, end := d.Span.File.Position(d.Span.Start), d.Span.File.Position(d.Span.End)
		at.Physical.Region = &sarifRegion{start.Line, start.Col, end.Line, end.Col}
	}
	if d.Path != "" {
		at.Logical = []sarifLogical{{d.Path}}
	}
	if at.Physical == nil && at.Logical == nil {
		return []sarifLocation{}
	}
	return []sarifLocation{at}
}
