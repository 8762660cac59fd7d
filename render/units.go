package render

var unitArtifacts = []Artifact{}
