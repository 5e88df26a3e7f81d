// The API's reference page: Swagger UI on the OpenAPI document of this installation.
const place = document.getElementById("reference");

// What a path into the document leads to, with every reference replaced by what it names; one that
// leads back into itself stays. Swagger UI would read the whole document anew for each operation
// that is opened, which takes seconds with so many.
function resolved(document, path) {
  const named = (reference) =>
    reference.slice(2).split("/").reduce((found, key) => found?.[key], document);
  const whole = (value, within) => {
    if (Array.isArray(value)) return value.map((item) => whole(item, within));
    if (value === null || typeof value !== "object") return value;
    const reference = value.$ref;
    if (typeof reference === "string" && reference.startsWith("#/")) {
      if (within.includes(reference)) return value;
      const target = whole(named(reference), [...within, reference]);
      const { $ref, ...beside } = value;
      return { ...target, ...beside, $$ref: reference };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, whole(item, within)]),
    );
  };
  return whole(path.reduce((found, key) => found?.[key], document), []);
}

const quick = () => ({
  fn: {
    resolveSubtree: async (document, path) => ({ spec: resolved(document, path), errors: [] }),
  },
  statePlugins: {
    spec: {
      wrapActions: {
        // The document is JSON, which Swagger UI would read as YAML.
        parseToJson: (_original, system) => (text) => {
          system.errActions.clear({ source: "parser" });
          return system.specActions.updateJsonSpec(JSON.parse(text));
        },
      },
    },
  },
});

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  plugins: [quick],
  deepLinking: true,
  // So many operations take seconds to draw; each group opens when it is asked for.
  docExpansion: "none",
  // The key is kept for this page only; it is asked for again after a reload.
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
