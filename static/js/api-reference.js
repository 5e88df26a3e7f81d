// The API's reference page: Swagger UI on the OpenAPI document of this installation.
const place = document.getElementById("reference");

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
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
