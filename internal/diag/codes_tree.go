package diag

var _ = register(map[string]Code{
	"secret-argument": {Error, "an argument of Jsonnet holds a secret",
		"The manifest records Jsonnet's arguments, so that a build can be repeated, and it is committed. Make the secret a reference in the stack, such as {\"$secret\": \"env:NAME\"}, which is read by plonec apply alone."},
	"secret-in-tree": {Error, "the value of a plain secret also stands in a text that is written out",
		"A secret that stands in the stack in plain is kept out of the tree. The same characters stand in another text of the stack, such as an option or a pasted configuration, from where they would reach the tree. Take them out there. If it is a coincidence (a password that is a common word), give the secret by reference."},
})
