// Starts Swagger UI on our document; without the outside validator it would otherwise ask.
SwaggerUIBundle({ dom_id: "#ui", url: "/api/v1/openapi.json", deepLinking: true, validatorUrl: null });
