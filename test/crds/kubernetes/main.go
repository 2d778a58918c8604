// Holds custom resource definitions against the code by which a real Kubernetes API server accepts or refuses them, the
// limits on the cost of CEL rules included. Prints one line per fault and ends with 1 when there is any.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"
)

func main() {
	faults := 0
	for _, path := range os.Args[1:] {
		for _, fault := range check(path) {
			fmt.Printf("%s: %v\n", path, fault)
			faults++
		}
	}
	fmt.Printf("%d definitions, %d faults\n", len(os.Args)-1, faults)
	if faults > 0 {
		os.Exit(1)
	}
}

func check(path string) []error {
	text, err := os.ReadFile(path)
	if err != nil {
		return []error{err}
	}
	definition := &v1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, definition); err != nil {
		return []error{err}
	}
	v1.SetDefaults_CustomResourceDefinition(definition)
	v1.SetDefaults_CustomResourceDefinitionSpec(&definition.Spec)
	internal := &apiextensions.CustomResourceDefinition{}
	if err := v1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(definition, internal, nil); err != nil {
		return []error{err}
	}
	internal.Status.StoredVersions = []string{definition.Spec.Versions[0].Name}
	var faults []error
	for _, fault := range validation.ValidateCustomResourceDefinition(context.Background(), internal) {
		faults = append(faults, fault)
	}
	return faults
}
