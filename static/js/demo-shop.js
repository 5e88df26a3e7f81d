/* What the shop's own script does with what the storefront tells: a code goes into its field. */
"use strict";

for (const told of ["setia:reward", "setia:code"]) {
  document.addEventListener(told, (event) => {
    const field = document.getElementById("code");
    if (field && event.detail.code) field.value = event.detail.code;
  });
}
